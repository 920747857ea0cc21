"""Gives messages their numbers and writes them down, those of a moment together: who is told of one finds it again
after a restart, and no number is given twice."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from control.accounts.deletion import silenced
from control.accounts.users import User
from control.chat.chat_store import Chats, missing, pruning, read_message, written
from control.chat.room_chat import Message, RoomChat
from control.clock import Clock, Epoch, SystemClock
from control.ops import metrics
from control.refusals import SessionExpired, TooOften
from control.storage.database import Connection, Store
from control.storage.log import Log

TOGETHER = 0.05  # seconds in which messages are gathered into one write
AT_ONCE = 200  # messages that are written in one transaction
MOST_WAITING = 2000  # messages, of all rooms
SAID, CHANGED = "said", "chat"

Listener = Callable[[RoomChat, Message | None], None]
"""Told of a message that is new or deleted; of None where all of the chat may be another."""


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """A message that has no number yet."""

    chat: RoomChat
    user: User
    text: str
    at: Epoch
    written: asyncio.Future[Message]

    def numbered(self, number: int) -> Message:
        return Message(number, self.user.id, self.user.nick_name, self.text, self.at)


class ChatWriter:
    """Waits for others to write along in real time, as for a disk, whatever `clock` is."""

    def __init__(self, *, store: Store, chats: Chats, log: Log | None, clock: Clock) -> None:
        """`log`: where other nodes are told, if there may be any; and then they write in the same chats."""
        self._store = store
        self._chats = chats
        self._log = log
        self._clock = clock
        self._drafts: list[Draft] = []
        self._changed: dict[RoomChat, None] = {}
        """Whose rules or broadcast are not written down yet. Pinned."""
        self._behind: dict[int, bool] = {}
        """Rooms in whose chats other nodes have written, and whether more than messages."""
        self._wake = asyncio.Event()
        self._turn = asyncio.Lock()
        self.listeners: list[Listener] = []

    async def add(self, chat: RoomChat, user: User, text: str) -> Message:
        """The message, once it is written down. Raises TooOften where too many wait for that, and SessionExpired
        where its writer was deleted; is cancelled where it could not be."""
        if len(self._drafts) >= MOST_WAITING:
            raise TooOften
        draft = Draft(chat, user, text, self._clock.now(), asyncio.get_running_loop().create_future())
        chat.pins += 1
        self._drafts.append(draft)
        self._wake.set()
        return await draft.written

    def change(self, chat: RoomChat) -> None:
        """Its rules are others, or its broadcast."""
        if chat not in self._changed:
            chat.pins += 1
            self._changed[chat] = None
        self._wake.set()
        self.tell(chat, None)

    def tell(self, chat: RoomChat, message: Message | None) -> None:
        for listener in self.listeners:
            listener(chat, message)

    async def silence(self, user_id: int) -> None:
        """Takes away the texts of a user who was deleted, also of what is on its way into the database."""
        for draft in [draft for draft in self._drafts if draft.user.id == user_id]:
            self._drafts.remove(draft)
            draft.chat.pins -= 1
            if not draft.written.done():
                draft.written.set_exception(SessionExpired())
        async with self._turn:
            await self._store.write(silenced(user_id))
            for chat in self._chats.in_memory():
                for message in [each for each in chat.messages if each.user_id == user_id and not each.deleted]:
                    gone = replace(message, nick_name="", text="", deleted=True)
                    chat.put(gone)
                    self.tell(chat, gone)
                await asyncio.sleep(0)

    async def next_turn(self) -> None:
        """Returns when there is something to write."""
        await self._wake.wait()
        await SystemClock().sleep(TOGETHER)

    async def write(self) -> None:
        """All that there is. Messages that cannot be written are given up, and what else cannot waits for the next."""
        async with self._turn:
            self._wake.clear()
            if self._behind:
                await self._read_others()
            while self._drafts or self._changed:
                drafts, self._drafts = self._drafts[:AT_ONCE], self._drafts[AT_ONCE:]
                changed, self._changed = self._changed, {}
                await self._write(drafts, list(changed))
                await asyncio.sleep(0)

    async def _write(self, drafts: Sequence[Draft], changed: Sequence[RoomChat]) -> None:
        done: Sequence[tuple[RoomChat, Message]] | None = None
        try:
            done = await self._commit(drafts, changed)
        finally:
            for position, draft in enumerate(drafts):
                draft.chat.pins -= 1
                self._done(draft, done[position][1] if done else None)
            for chat in changed:
                chat.pins -= 1
            if done is None:
                self._take_back(changed)

    async def _commit(self, drafts: Sequence[Draft], changed: Sequence[RoomChat]) -> Sequence[tuple[RoomChat, Message]]:
        """The messages, in the order of the drafts."""
        chats = dict.fromkeys([*(draft.chat for draft in drafts), *changed])
        outdated = {chat: chat.first_number for chat in chats if chat.stores_outdated}
        async with self._store.writing() as connection:
            if self._log and drafts:
                await self._catch_up(connection, {draft.chat.room_id: draft.chat for draft in drafts})
            messages = _numbered(drafts)
            for statement in chain(written(messages, changed), map(pruning, outdated.items())):
                await connection.execute(statement)
            if self._log:
                await connection.execute(self._log.entries(_news(messages, changed)))
        for chat, first in outdated.items():
            chat.stored_from = first
        return messages

    async def _catch_up(self, connection: Connection, chats: Mapping[int, RoomChat]) -> None:
        """With what other nodes have written and not told yet: numbers go on from there."""
        for row in await connection.fetch_all(missing(chats.values())):
            self._hear(chats[row["room_id"]], read_message(row))

    def heard(self, room_id: int, all_of_it: bool) -> None:
        """Another node has written messages, or something else of the chat."""
        self._behind[room_id] = all_of_it or self._behind.get(room_id, False)
        self._wake.set()

    async def _read_others(self) -> None:
        """What other nodes have written, of chats that are in memory."""
        behind, self._behind = self._behind, {}
        kept = {room_id: chat for room_id in behind if (chat := self._chats.kept(room_id))}
        try:
            for room_id in [room_id for room_id in kept if behind[room_id]]:
                chat = kept.pop(room_id)
                await self._chats.read_again(chat)
                self.tell(chat, None)
            if kept:
                for row in await self._store.fetch_all(missing(kept.values())):
                    self._hear(kept[row["room_id"]], read_message(row))
        except self._store.failures:
            self._behind = behind | self._behind
            raise

    def _hear(self, chat: RoomChat, message: Message) -> None:
        if message.number > chat.last_number:
            self._chats.append(chat, message)
            self.tell(chat, message)

    def _done(self, draft: Draft, message: Message | None) -> None:
        if message is not None:
            self._chats.append(draft.chat, message)
            metrics.chat_messages.inc()
            self.tell(draft.chat, message)
        if draft.written.done():
            return  # nobody waits for it any more
        if message is None:
            draft.written.cancel()
        else:
            draft.written.set_result(message)

    def _take_back(self, changed: Iterable[RoomChat]) -> None:
        for chat in changed:
            if chat not in self._changed:
                chat.pins += 1
                self._changed[chat] = None


def _news(
    messages: Sequence[tuple[RoomChat, Message]], changed: Iterable[RoomChat]
) -> Iterator[tuple[str, int, int, str]]:
    """Entries of the log."""
    for chat in dict.fromkeys(chat for chat, _ in messages):
        yield SAID, chat.room_id, 0, ""  # what, is read from the chat: it may be deleted before
    for chat in changed:
        yield CHANGED, chat.room_id, 0, ""


def _numbered(drafts: Iterable[Draft]) -> list[tuple[RoomChat, Message]]:
    given: defaultdict[RoomChat, int] = defaultdict(int)
    messages = []
    for draft in drafts:
        given[draft.chat] += 1
        messages.append((draft.chat, draft.numbered(draft.chat.last_number + given[draft.chat])))
    return messages
