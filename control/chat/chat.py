"""Chats of rooms: who may read and write is settled elsewhere; here is how."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from math import ceil

import orjson
import sqlalchemy as sa

from control.access.rights import Rights
from control.accounts.users import User
from control.chat import rules
from control.chat.chat_pace import Pace
from control.chat.chat_store import Chats, in_ms
from control.chat.chat_writer import CHANGED, SAID, ChatWriter
from control.chat.room_chat import Message, RoomChat
from control.chat.rules import Rules
from control.clock import Clock, Epoch
from control.live.on_air_writer import ON_AIR, OnAir
from control.refusals import BadParameter, Muted, NoSuchAccount, NoSuchRoom, SessionExpired, TooOften
from control.storage.changes import Change, Changed
from control.storage.database import Store, insert
from control.storage.log import Entry, Log
from control.storage.tables import LAST_USER_ID, chat_messages, chat_mutes, users

MUTE, LONGEST_MUTE = 600, 86400  # seconds; the first where none are named
MOST_MUTED = 1000  # users in one room


class Chat:
    def __init__(self, *, store: Store, chats: Chats, writer: ChatWriter, pace: Pace, log: Log, clock: Clock) -> None:
        self._store = store
        self._log = log
        self._log.on(SAID, self._heard)
        self._log.on(CHANGED, self._heard)
        self._log.on(ON_AIR, lambda entry: self.observe(OnAir(*each) for each in orjson.loads(entry.details)))
        self._log.when_behind(self._begin_anew)
        self._chats = chats
        self._writer = writer
        self._clock = clock
        self._pace = pace
        self._gone: set[int] = set()
        """Users who were deleted."""

    async def of(self, room_id: int) -> RoomChat:
        """To be read at once. Raises NoSuchRoom."""
        async with self._pinned(room_id) as chat:
            return chat

    async def send(self, room: Rights, user: User, text: str) -> Message:
        """The message, once it is written down. Raises BadParameter, Muted, TooOften, SessionExpired."""
        said = rules.message_text(text)
        async with self._pinned(room.room_id) as chat:
            if chat.muted(user.id, self._clock.now()):
                raise Muted
            if chat.rules.mutes(said):
                raise BadParameter("text")
            slow_seconds = 0 if user.id == room.owner_id else chat.rules.slow_seconds
            self._pace.step(room.room_id, user.id, slow_seconds)
            if user.id in self._gone:  # while this request was looked at
                raise SessionExpired
            return await self._writer.add(chat, user, said)

    async def delete(self, room_id: int, number: int) -> bool:
        """Whether it was there: the text of a message is taken away, its number stays."""
        async with self._pinned(room_id) as chat:
            found = chat.find(number)
            if found is None or found.deleted:
                return False
            this = chat_messages.c.room_id == room_id, chat_messages.c.number == number
            gone = chat_messages.update().where(*this).values(text="", deleted=True)
            await self._store.write(gone, self._news(room_id))
            deleted = replace(found, text="", deleted=True)
            if chat.find(number) is found:  # others were written meanwhile
                chat.put(deleted)
            self._writer.tell(chat, deleted)
            return True

    async def mute(self, room: Rights, user_id: int, seconds: int) -> None:
        """Raises BadParameter, also for the room's owner, NoSuchAccount, and TooOften where too many are."""
        if not 1 <= seconds <= LONGEST_MUTE:
            raise BadParameter("timeout")
        if user_id == room.owner_id:
            raise BadParameter("userId")
        now = self._clock.now()
        until = Epoch(now + seconds)
        async with self._pinned(room.room_id) as chat:
            chat.forget_mutes(now)
            if len(chat.muted_until) >= MOST_MUTED and user_id not in chat.muted_until:
                raise TooOften
            await self._write_mute(room.room_id, user_id, until)
            chat.muted_until[user_id] = until

    async def _write_mute(self, room_id: int, user_id: int, until: Epoch) -> None:
        """Raises NoSuchAccount."""
        if user_id > LAST_USER_ID:
            raise NoSuchAccount
        user = sa.select(sa.literal(room_id), users.c.id, sa.literal(until)).where(users.c.id == user_id)
        row = insert(chat_mutes).from_select(("room_id", "user_id", "until"), user)
        upsert = row.on_conflict_do_update(index_elements=["room_id", "user_id"], set_={"until": row.excluded.until})
        async with self._store.writing() as connection:
            if await connection.fetch_one(upsert.returning(chat_mutes.c.user_id)) is None:
                raise NoSuchAccount
            await connection.execute(self._news(room_id))

    async def unmute(self, room: Rights, user_id: int) -> None:
        """Nothing changes for a user who is not muted."""
        async with self._pinned(room.room_id) as chat:
            if user_id in chat.muted_until:
                this = chat_mutes.c.room_id == room.room_id, chat_mutes.c.user_id == user_id
                await self._store.write(chat_mutes.delete().where(*this), self._news(room.room_id))
                chat.muted_until.pop(user_id, None)

    async def muted(self, room_id: int) -> dict[int, int]:
        """Seconds for which users may not write; by user, the last to end first."""
        now, chat = self._clock.now(), await self.of(room_id)
        left = {user_id: ceil(until - now) for user_id, until in chat.muted_until.items() if until > now}
        return dict(sorted(left.items(), key=lambda each: -each[1]))

    async def set_rules(self, room_id: int, wanted: Rules) -> None:
        async with self._pinned(room_id) as chat:
            chat.rules = wanted
            self._writer.change(chat)
            await self._writer.write()

    def _news(self, room_id: int) -> sa.ClauseElement:
        return self._log.entries([(CHANGED, room_id, 0, "")])

    def _heard(self, entry: Entry) -> None:
        self._writer.heard(entry.room_id, entry.what == CHANGED)

    async def _begin_anew(self) -> None:
        for chat in self._chats.in_memory():
            self._writer.heard(chat.room_id, True)

    async def reconsider(self, change: Change) -> None:
        """A listener of changes: who deletes their account takes with it what they wrote."""
        if change.what is Changed.ACCOUNT:
            self._gone.add(change.user_id)
            await self._writer.silence(change.user_id)

    def observe(self, now: Iterable[OnAir]) -> None:
        """How rooms of this node are now: a new broadcast begins with an empty chat."""
        for room in now:
            if room.live_since and (chat := self._chats.kept(room.room_id)):
                began = in_ms(room.live_since)
                if began > chat.broadcast_ms:
                    self._chats.begin(chat, began)
                    self._writer.change(chat)

    async def purge(self) -> None:
        """Deletes from the database what has no effect any more."""
        await self._store.write(chat_mutes.delete().where(chat_mutes.c.until <= self._clock.now()))

    @asynccontextmanager
    async def _pinned(self, room_id: int) -> AsyncIterator[RoomChat]:
        """Raises NoSuchRoom."""
        chat = await self._chats.pinned(room_id)
        if chat is None:
            raise NoSuchRoom
        try:
            yield chat
        finally:
            chat.pins -= 1
