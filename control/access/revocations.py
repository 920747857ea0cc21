"""Tickets that were given back before they expired."""

from __future__ import annotations

import sqlalchemy as sa

from control.access.changes import Changed, Changes
from control.access.rights import RightsOfRooms
from control.clock import Clock
from control.storage.database import Store, insert
from control.storage.tables import ticket_revocations


class Revocations:
    """In the database for the next start, in `rights` for verdicts."""

    def __init__(self, *, store: Store, rights: RightsOfRooms, changes: Changes, clock: Clock) -> None:
        self._store = store
        self._rights = rights
        self._changes = changes
        self._clock = clock

    async def load(self) -> None:
        table = ticket_revocations.c
        await self._store.write(ticket_revocations.delete().where(table.until_expiry_ms <= self._clock.now() * 1000))
        for row in await self._store.fetch_all(sa.select(ticket_revocations)):
            self._rights.void(row["room_id"], row["user_id"], row["until_expiry_ms"])

    async def revoke(self, room_id: int, user_id: int, until_expiry_ms: int) -> None:
        """Voids this user's tickets for this room that expire by then; milliseconds since the epoch."""
        row = {"room_id": room_id, "user_id": user_id, "until_expiry_ms": until_expiry_ms}
        statement = insert(ticket_revocations).values(row)
        await self._store.write(statement.on_conflict_do_update(["room_id", "user_id"], set_=row))
        self._rights.void(room_id, user_id, until_expiry_ms)
        await self._changes.announce(Changed.TICKETS, room_id)
