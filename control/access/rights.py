"""What a verdict needs of a room, in memory: nginx's callbacks cannot wait for a query each."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from control.storage.database import Row, Store
from control.storage.tables import rooms


@dataclass(frozen=True, slots=True)
class Rights:
    room_id: int
    owner_id: int
    anchor_password: str
    assist_password: str
    user_password: str
    password_generation: int
    gate_shut_until: float
    """Seconds since the epoch; 0: open."""


COLUMNS = (
    rooms.c.id,
    rooms.c.owner_id,
    rooms.c.anchor_password,
    rooms.c.assist_password,
    rooms.c.user_password,
    rooms.c.password_generation,
    rooms.c.gate_shut_until,
)


class RightsOfRooms:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._rights: dict[int, Rights] = {}

    async def load(self) -> None:
        for row in await self._store.fetch_all(sa.select(*COLUMNS)):
            self.note(row)

    def note(self, row: Row) -> None:
        """Takes over what was just written. `row` has COLUMNS."""
        self._rights[row["id"]] = Rights(
            room_id=row["id"],
            owner_id=row["owner_id"],
            anchor_password=row["anchor_password"],
            assist_password=row["assist_password"],
            user_password=row["user_password"],
            password_generation=row["password_generation"],
            gate_shut_until=row["gate_shut_until"],
        )

    def of(self, room_id: int) -> Rights | None:
        return self._rights.get(room_id)
