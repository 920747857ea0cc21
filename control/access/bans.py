"""Who may not watch which room for a time: in memory for verdicts, in the database for lists and the next start.

A ban follows the user. Whoever knows a room's viewing password can also come without telling who they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from control.access.rights import Rights
from control.clock import Clock
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
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._until: dict[tuple[int, int], float] = {}

    async def load(self) -> None:
        await self._store.write(bans.delete().where(bans.c.until <= self._clock.now()))
        for row in await self._store.fetch_all(sa.select(bans)):
            self._until[row["room_id"], row["user_id"]] = row["until"]

    def until(self, room_id: int, user_id: int) -> float:
        """This user may not watch this room before then, seconds since the epoch; 0 for one who is not banned."""
        return self._until.get((room_id, user_id), 0.0)

    def holds(self, room_id: int, user_id: int) -> bool:
        return self.until(room_id, user_id) > self._clock.now()

    async def ban(self, room: Rights, user_id: int, seconds: int) -> None:
        """`seconds`: 1 to a year, from now. Raises BadParameter, also for the room's owner, and NoSuchAccount."""
        if not LOW <= seconds <= HIGH:
            raise BadParameter("timeout")
        if user_id == room.owner_id:
            raise BadParameter("userId")
        if user_id > LAST_USER_ID:
            raise NoSuchAccount
        until = self._clock.now() + seconds
        user = sa.select(sa.literal(room.room_id), users.c.id, sa.literal(until)).where(users.c.id == user_id)
        columns = ("room_id", "user_id", "until")
        statement = insert(bans).from_select(columns, user)
        said = statement.on_conflict_do_update(["room_id", "user_id"], set_={"until": statement.excluded.until})
        async with self._store.writing() as connection:
            if await connection.fetch_one(said.returning(bans.c.user_id)) is None:
                raise NoSuchAccount
        self._until[room.room_id, user_id] = until

    async def lift(self, room: Rights, user_id: int) -> None:
        """Nothing changes for one who is not banned."""
        if not self.until(room.room_id, user_id):
            return
        await self._store.write(bans.delete().where(bans.c.room_id == room.room_id, bans.c.user_id == user_id))
        self._until.pop((room.room_id, user_id), None)

    async def of_room(self, room_id: int, most: int) -> list[Ban]:
        """Those that still hold, the last to end first."""
        now = self._clock.now()
        query = sa.select(bans.c.user_id, bans.c.until, users.c.nick_name).join(users, users.c.id == bans.c.user_id)
        rows = await self._store.fetch_all(
            query.where(bans.c.room_id == room_id, bans.c.until > now).order_by(bans.c.until.desc()).limit(most)
        )
        return [Ban(row["user_id"], row["nick_name"], row["until"] - now) for row in rows]
