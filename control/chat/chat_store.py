"""Rooms' chats: as many in memory as fit, and all of them in the database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import orjson
import sqlalchemy as sa

from control.chat.room_chat import Message, RoomChat
from control.chat.rules import Rules
from control.clock import Clock
from control.live.broadcasts import Broadcasts
from control.storage.cache import Cache
from control.storage.database import Row, Store, insert, listed, numbered
from control.storage.rows import in_rooms
from control.storage.tables import broadcasts, chat_messages, chat_mutes, chat_rooms, rooms

MOST_MESSAGES = 50_000  # in memory, of all rooms; a kilobyte each at the most
ROOM = ("room_id", "broadcast_ms", "last_number", "slow_seconds", "muted_words")
MESSAGE = ("room_id", "number", "user_id", "nick_name", "text", "at", "deleted")
AT_A_TIME = 10  # rooms that are let go at the most when there is too much


class Chats(Cache[int, RoomChat]):
    """`most` rooms' are kept in memory, and MOST_MESSAGES: those used last, and those that somebody is at work on."""

    def __init__(self, *, store: Store, broadcasts: Broadcasts, clock: Clock, most: int) -> None:
        super().__init__(self._read, most)
        self._store = store
        self._broadcasts = broadcasts
        self._clock = clock
        self._held = 0
        """Messages."""

    def kept(self, room_id: int) -> RoomChat | None:
        """None where it is not in memory. No use of it."""
        return self._kept.get(room_id)

    def in_memory(self) -> list[RoomChat]:
        """What is being read now is read anew: it may be as it was before."""
        self._loading.clear()
        return list(self._kept.values())

    async def pinned(self, room_id: int) -> RoomChat | None:
        """Stays in memory until its pin is taken off. None where there is no such room."""
        chat = await self.get(room_id)
        while chat is not self._kept.get(room_id):  # many were loaded at the same time, and it is gone already
            chat = await self.get(room_id)
        if chat is not None:
            chat.pins += 1
        return chat

    def append(self, chat: RoomChat, message: Message) -> None:
        self._held -= len(chat.messages)
        chat.append(message)
        self._held += len(chat.messages)
        self._trim(chat)

    async def read_again(self, chat: RoomChat) -> None:
        """As it is in the database now. None of a room that is gone."""
        if (now := (await self._read([chat.room_id])).get(chat.room_id)) is None:
            return
        self._held -= len(chat.messages)
        chat.become(now)
        self._held += len(chat.messages)

    def begin(self, chat: RoomChat, broadcast_ms: int) -> None:
        self._held -= len(chat.messages)
        chat.begin(broadcast_ms)

    def _trim(self, but: RoomChat) -> None:
        """Lets go what is too much."""
        if self._fits:
            return
        for room_id, chat in list(islice(self._kept.items(), AT_A_TIME)):
            if chat.pins or chat is but:
                self._kept.move_to_end(room_id)
            else:
                self._held -= len(chat.messages)
                del self._kept[room_id]
            if self._fits:
                return

    @property
    def _fits(self) -> bool:
        return self._held <= MOST_MESSAGES and len(self._kept) <= self._most

    def clear(self) -> None:
        super().clear()
        self._held = 0

    def _keep(self, key: int, value: RoomChat) -> None:
        self._kept[key] = value
        self._held += len(value.messages)
        self._trim(value)

    async def _read(self, room_ids: Sequence[int]) -> Mapping[int, RoomChat]:
        wanted = sa.select(numbered(room_ids).c.value)
        latest = sa.select(sa.func.max(broadcasts.c.started_at)).where(broadcasts.c.room_id == rooms.c.id)
        columns = [chat_rooms.c[name] for name in ROOM[1:]]
        known = sa.select(rooms.c.id, *columns, latest.scalar_subquery().label("latest"))
        known = known.select_from(rooms.outerjoin(chat_rooms, chat_rooms.c.room_id == rooms.c.id))
        rows = await self._store.fetch_all(known.where(rooms.c.id.in_(wanted)))
        found = {row["id"]: _chat(row) for row in rows}
        written = sa.select(chat_messages).where(chat_messages.c.room_id.in_(wanted))
        for row in await self._store.fetch_all(written.order_by(chat_messages.c.room_id, chat_messages.c.number)):
            if (chat := found[row["room_id"]]).stored_from == 1:
                chat.stored_from = row["number"]
            chat.messages.append(read_message(row))
        mutes = sa.select(chat_mutes).where(chat_mutes.c.room_id.in_(wanted), chat_mutes.c.until > self._clock.now())
        for row in await self._store.fetch_all(mutes):
            found[row["room_id"]].muted_until[row["user_id"]] = row["until"]
        for row in rows:
            self._catch_up(found[row["id"]], row["latest"])
        return found

    def _catch_up(self, chat: RoomChat, latest: float | None) -> None:
        """With a broadcast that began while the chat was not in memory."""
        going_on = self._broadcasts.of_room(chat.room_id)
        began = max(in_ms(latest or 0.0), in_ms(going_on.started_at) if going_on else 0)
        if began > chat.broadcast_ms:
            chat.begin(began)


def in_ms(started_at: float) -> int:
    """A database may give a time back as the number next to it."""
    return round(started_at * 1000)


def written(messages: Sequence[tuple[RoomChat, Message]], changed: Iterable[RoomChat]) -> Iterator[sa.ClauseElement]:
    """What writes new messages down, and these chats as they will be then. Of one that has not changed but for its
    messages another node may have written the rest meanwhile."""
    last = {chat: message.number for chat, message in messages}
    if messages:
        rows = [[chat.room_id, *_values(message)] for chat, message in messages]
        yield insert(chat_messages).from_select(MESSAGE, in_rooms(listed(rows, chat_messages.c[MESSAGE])))
        yield _rooms([_row(chat, number) for chat, number in last.items()], ["last_number"])
    if chats := [_row(chat, last.get(chat, chat.last_number)) for chat in dict.fromkeys(changed)]:
        yield _rooms(chats, ROOM[1:])


def _rooms(rows: Sequence[Sequence[object]], names: Sequence[str]) -> sa.ClauseElement:
    """Numbers never go back: others may have given more."""
    upsert = insert(chat_rooms).from_select(ROOM, in_rooms(listed(rows, chat_rooms.c[ROOM])))
    new, old = upsert.excluded.last_number, chat_rooms.c.last_number
    values = {name: upsert.excluded[name] for name in names} | {"last_number": sa.case((new > old, new), else_=old)}
    return upsert.on_conflict_do_update(index_elements=["room_id"], set_=values)


def missing(chats: Iterable[RoomChat]) -> sa.Select[Any]:
    """Messages that other nodes have written since, and that these do not have."""
    known = listed([[chat.room_id, chat.last_number] for chat in chats], chat_messages.c[MESSAGE[:2]]).subquery()
    newer = sa.and_(chat_messages.c.room_id == known.c.room_id, chat_messages.c.number > known.c.number)
    return sa.select(chat_messages).join(known, newer).order_by(chat_messages.c.room_id, chat_messages.c.number)


def pruning(outdated: tuple[RoomChat, int]) -> sa.ClauseElement:
    """What deletes a chat's messages below a number."""
    chat, first = outdated
    return chat_messages.delete().where(chat_messages.c.room_id == chat.room_id, chat_messages.c.number < first)


def _values(message: Message) -> Sequence[object]:
    return (message.number, message.user_id, message.nick_name, message.text, message.at, message.deleted)


def _row(chat: RoomChat, last_number: int) -> Sequence[object]:
    words = orjson.dumps(chat.rules.muted_words).decode()
    return (chat.room_id, chat.broadcast_ms, last_number, chat.rules.slow_seconds, words)


def _chat(row: Row) -> RoomChat:
    if row["last_number"] is None:
        return RoomChat(row["id"])
    rules = Rules(row["slow_seconds"], tuple(orjson.loads(row["muted_words"])))
    return RoomChat(row["id"], row["broadcast_ms"], row["last_number"], rules)


def read_message(row: Row) -> Message:
    return Message(
        number=row["number"],
        user_id=row["user_id"],
        nick_name=row["nick_name"],
        text=row["text"],
        at=row["at"],
        deleted=bool(row["deleted"]),
    )
