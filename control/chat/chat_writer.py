"""Gives messages their numbers and writes them down, those of a moment together: who is told of one finds it again
after a restart, and no number is given twice."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from control.accounts.deletion import silenced
from control.accounts.users import User
from control.chat.chat_store import Chats, pruning, written
from control.chat.room_chat import Message, RoomChat
from control.clock import Clock, Epoch, SystemClock
from control.ops import metrics
from control.refusals import SessionExpired, TooOften
from control.storage.database import Store

TOGETHER = 0.05  # seconds in which messages are gathered into one write
AT_ONCE = 200  # messages that are written in one transaction
MOST_WAITING = 2000  # messages, of all rooms

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

    def __init__(self, store: Store, chats: Chats, clock: Clock) -> None:
        self._store = store
        self._chats = chats
        self._clock = clock
        self._drafts: list[Draft] = []
        self._changed: dict[RoomChat, None] = {}
        """Whose rules or broadcast are not written down yet. Pinned."""
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
            while self._drafts or self._changed:
                drafts, self._drafts = self._drafts[:AT_ONCE], self._drafts[AT_ONCE:]
                changed, self._changed = self._changed, {}
                await self._write(drafts, list(changed))
                await asyncio.sleep(0)

    async def _write(self, drafts: Sequence[Draft], changed: Sequence[RoomChat]) -> None:
        messages, is_done = _numbered(drafts), False
        try:
            await self._commit(messages, changed)
            is_done = True
        finally:
            for draft, (chat, message) in zip(drafts, messages, strict=True):
                chat.pins -= 1
                self._done(draft, message if is_done else None)
            for chat in changed:
                chat.pins -= 1
            if not is_done:
                self._take_back(changed)

    async def _commit(self, messages: Sequence[tuple[RoomChat, Message]], changed: Sequence[RoomChat]) -> None:
        chats = dict.fromkeys([*(chat for chat, _ in messages), *changed])
        outdated = {chat: chat.first_number for chat in chats if chat.stores_outdated}
        async with self._store.writing() as connection:
            for statement in chain(written(messages, changed), map(pruning, outdated.items())):
                await connection.execute(statement)
        for chat, first in outdated.items():
            chat.stored_from = first

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


def _numbered(drafts: Iterable[Draft]) -> list[tuple[RoomChat, Message]]:
    given: defaultdict[RoomChat, int] = defaultdict(int)
    messages = []
    for draft in drafts:
        given[draft.chat] += 1
        messages.append((draft.chat, draft.numbered(draft.chat.last_number + given[draft.chat])))
    return messages
