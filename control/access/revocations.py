"""Tickets that were given back before their time: in memory for verdicts, in the database for the next start."""

from __future__ import annotations

import sqlalchemy as sa

from control.clock import Clock
from control.storage.database import Store, insert
from control.storage.tables import ticket_revocations


class Revocations:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._until: dict[tuple[int, int], int] = {}

    async def load(self) -> None:
        table = ticket_revocations.c
        await self._store.write(ticket_revocations.delete().where(table.until_expiry_ms <= self._clock.now() * 1000))
        for row in await self._store.fetch_all(sa.select(ticket_revocations)):
            self._until[row["room_id"], row["user_id"]] = row["until_expiry_ms"]

    def void_until(self, room_id: int, user_id: int) -> int:
        """This user's tickets for this room are void that expire by then; milliseconds since the epoch."""
        return self._until.get((room_id, user_id), 0)

    async def revoke(self, room_id: int, user_id: int, until_expiry_ms: int) -> None:
        row = {"room_id": room_id, "user_id": user_id, "until_expiry_ms": until_expiry_ms}
        statement = insert(ticket_revocations).values(row)
        await self._store.write(statement.on_conflict_do_update(["room_id", "user_id"], set_=row))
        self._until[room_id, user_id] = until_expiry_ms
