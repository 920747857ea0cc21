"""Users who may not watch a room for a time.

A ban follows the user. A client that shows the room's viewing password instead of a ticket does not say who it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from control.access.changes import Changed, Changes
from control.access.rights import Rights, RightsOfRooms
from control.clock import Clock, Epoch
from control.refusals import BadParameter, NoSuchAccount
from control.storage.database import Store, insert
from control.storage.tables import LAST_USER_ID, bans, users

DEFAULT, LOW, HIGH = 3600, 1, 365 * 86400  # seconds


@dataclass(frozen=True, slots=True)
class Ban:
    user_id: int
    nick_name: str
    seconds_left: float


class Bans:
    """In the database for lists and the next start, in `rights` for verdicts."""

    def __init__(self, *, store: Store, rights: RightsOfRooms, changes: Changes, clock: Clock) -> None:
        self._store = store
        self._rights = rights
        self._changes = changes
        self._clock = clock

    async def load(self) -> None:
        await self._store.write(bans.delete().where(bans.c.until <= self._clock.now()))
        for row in await self._store.fetch_all(sa.select(bans)):
            self._rights.ban(row["room_id"], row["user_id"], row["until"])

    def seconds_left(self, room: Rights, user_id: int) -> float:
        """0 for a user who is not banned."""
        return max(0.0, room.denied(user_id).banned_until - self._clock.now())

    async def ban(self, room: Rights, user_id: int, seconds: int) -> None:
        """`seconds`: 1 to a year, from now. Raises BadParameter, also for the room's owner, and NoSuchAccount."""
        if not LOW <= seconds <= HIGH:
            raise BadParameter("timeout")
        if user_id == room.owner_id:
            raise BadParameter("userId")
        if user_id > LAST_USER_ID:
            raise NoSuchAccount
        until = Epoch(self._clock.now() + seconds)
        await self._write(room.room_id, user_id, until)
        self._rights.ban(room.room_id, user_id, until)
        await self._changes.announce(Changed.BANS, room.room_id)

    async def _write(self, room_id: int, user_id: int, until: Epoch) -> None:
        """Raises NoSuchAccount."""
        user = sa.select(sa.literal(room_id), users.c.id, sa.literal(until)).where(users.c.id == user_id)
        row = insert(bans).from_select(("room_id", "user_id", "until"), user)
        upsert = row.on_conflict_do_update(["room_id", "user_id"], set_={"until": row.excluded.until})
        async with self._store.writing() as connection:
            if await connection.fetch_one(upsert.returning(bans.c.user_id)) is None:
                raise NoSuchAccount

    async def lift(self, room: Rights, user_id: int) -> None:
        """Nothing changes for a user who is not banned."""
        if not room.denied(user_id).banned_until:
            return
        await self._store.write(bans.delete().where(bans.c.room_id == room.room_id, bans.c.user_id == user_id))
        self._rights.ban(room.room_id, user_id, Epoch(0.0))
        await self._changes.announce(Changed.BANS, room.room_id)

    async def of_room(self, room_id: int, most: int) -> list[Ban]:
        """Those that still hold, the last to end first."""
        now = self._clock.now()
        query = sa.select(bans.c.user_id, bans.c.until, users.c.nick_name).join(users, users.c.id == bans.c.user_id)
        rows = await self._store.fetch_all(
            query.where(bans.c.room_id == room_id, bans.c.until > now).order_by(bans.c.until.desc()).limit(most)
        )
        return [Ban(row["user_id"], row["nick_name"], row["until"] - now) for row in rows]
