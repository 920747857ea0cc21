"""Who follows which room."""

from __future__ import annotations

import sqlalchemy as sa

from control.access.rights import RightsOfRooms
from control.accounts.users import User
from control.clock import Clock
from control.refusals import NoSuchRoom
from control.storage.database import Store, insert
from control.storage.tables import follows, rooms


class Follows:
    def __init__(self, store: Store, rights: RightsOfRooms, clock: Clock) -> None:
        self._store = store
        self._rights = rights
        self._clock = clock

    async def follow(self, user: User, room_id: int) -> None:
        """Nothing changes for a user who follows already. Raises NoSuchRoom."""
        self._existing(room_id)
        row = {"user_id": user.id, "room_id": room_id, "followed_at": self._clock.now()}
        statement = insert(follows).values(row).on_conflict_do_nothing().returning(follows.c.room_id)
        async with self._store.writing() as connection:
            if await connection.fetch_one(statement):
                await connection.execute(_count(room_id, 1))

    async def unfollow(self, user: User, room_id: int) -> None:
        """Nothing changes for a user who does not follow. Raises NoSuchRoom."""
        self._existing(room_id)
        mine = follows.delete().where(follows.c.user_id == user.id, follows.c.room_id == room_id)
        async with self._store.writing() as connection:
            if await connection.fetch_one(mine.returning(follows.c.room_id)):
                await connection.execute(_count(room_id, -1))

    def _existing(self, room_id: int) -> None:
        if self._rights.of(room_id) is None:
            raise NoSuchRoom


def _count(room_id: int, difference: int) -> sa.Update:
    return rooms.update().where(rooms.c.id == room_id).values(follow_count=rooms.c.follow_count + difference)
