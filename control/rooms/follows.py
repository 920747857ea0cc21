"""Who follows which room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from control.accounts.users import User
from control.clock import Clock
from control.refusals import BadParameter, NoSuchRoom
from control.rooms.about import AboutRooms
from control.storage.cache import Cache
from control.storage.changes import Change, Changed, Changes
from control.storage.database import Store, insert, numbered
from control.storage.tables import follows, rooms

MOST = 10_000  # rooms that one user can follow: they lie in memory while the user is active

Followed = Mapping[int, float]
"""The rooms that a user follows, the last followed first, each with when that was; seconds since the epoch."""


class Follows:
    """`most` users' are kept in memory."""

    def __init__(self, *, store: Store, about: AboutRooms, changes: Changes, clock: Clock, most: int) -> None:
        self._store = store
        self._about = about
        self._changes = changes
        self._clock = clock
        self._kept: Cache[int, Followed] = Cache(self._load, most)
        changes.forget(self._forget, self._kept.clear)

    async def of(self, user_id: int) -> Followed:
        return await self._kept.get(user_id) or {}

    async def follow(self, user: User, room_id: int) -> None:
        """Nothing changes for a user who follows already. Raises NoSuchRoom, and BadParameter for more than MOST."""
        await self._require(room_id)
        followed = await self.of(user.id)
        if room_id in followed:
            return
        if len(followed) >= MOST:
            raise BadParameter("liveRoomId")
        row = {"user_id": user.id, "room_id": room_id, "followed_at": self._clock.now()}
        await self._write(user, room_id, insert(follows).values(row).on_conflict_do_nothing(), 1)

    async def unfollow(self, user: User, room_id: int) -> None:
        """Nothing changes for a user who does not follow. Raises NoSuchRoom."""
        await self._require(room_id)
        if room_id in await self.of(user.id):
            mine = follows.delete().where(follows.c.user_id == user.id, follows.c.room_id == room_id)
            await self._write(user, room_id, mine, -1)

    async def _write(self, user: User, room_id: int, change: sa.Insert | sa.Delete, difference: int) -> None:
        count = rooms.update().where(rooms.c.id == room_id).values(follow_count=rooms.c.follow_count + difference)
        async with self._changes.writing() as (connection, note):
            if await connection.fetch_one(change.returning(follows.c.room_id)):
                await connection.execute(count)
            note(Change(Changed.FOLLOWS, room_id, user.id))

    async def _require(self, room_id: int) -> None:
        if await self._about.of(room_id) is None:
            raise NoSuchRoom

    def _forget(self, change: Change) -> None:
        if change.what is Changed.FOLLOWS:
            self._kept.forget(change.user_id)
        elif change.what is Changed.ACCOUNT and change.room_id:
            self._kept.clear()  # who followed the room is not told

    async def _load(self, user_ids: Sequence[int]) -> dict[int, Followed]:
        """Also of users who follow none."""
        query = sa.select(follows).where(follows.c.user_id.in_(sa.select(numbered(user_ids).c.value)))
        found: dict[int, dict[int, float]] = {user_id: {} for user_id in user_ids}
        for row in await self._store.fetch_all(query.order_by(follows.c.followed_at.desc(), follows.c.room_id.desc())):
            found[row["user_id"]][row["room_id"]] = row["followed_at"]
        return dict(found)
