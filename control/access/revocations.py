"""Tickets that were given back before they expired."""

from __future__ import annotations

import sqlalchemy as sa

from control.access.changes import Changed, Changes
from control.access.rights import RightsOfRooms
from control.clock import Clock
from control.storage.database import Store, insert
from control.storage.tables import ticket_revocations, user_revocations


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
        table = user_revocations.c
        await self._store.write(user_revocations.delete().where(table.until_expiry_ms <= self._clock.now() * 1000))
        for row in await self._store.fetch_all(sa.select(user_revocations)):
            self._rights.void_everywhere(row["user_id"], row["until_expiry_ms"])

    def voiding(self, user_id: int, until_expiry_ms: int) -> sa.sql.ClauseElement:
        """What voids this user's tickets for all rooms, for its writer's own transaction."""
        row = {"user_id": user_id, "until_expiry_ms": until_expiry_ms}
        return insert(user_revocations).values(row).on_conflict_do_update(["user_id"], set_=row)

    async def voided(self, user_id: int) -> None:
        """Takes over what was committed."""
        query = sa.select(user_revocations.c.until_expiry_ms).where(user_revocations.c.user_id == user_id)
        row = await self._store.fetch_one(query)
        if row is not None:
            self._rights.void_everywhere(user_id, row["until_expiry_ms"])

    async def revoke(self, room_id: int, user_id: int, until_expiry_ms: int) -> None:
        """Voids this user's tickets for this room that expire by then; milliseconds since the epoch."""
        row = {"room_id": room_id, "user_id": user_id, "until_expiry_ms": until_expiry_ms}
        statement = insert(ticket_revocations).values(row)
        await self._store.write(statement.on_conflict_do_update(["room_id", "user_id"], set_=row))
        self._rights.void(room_id, user_id, until_expiry_ms)
        await self._changes.announce(Changed.TICKETS, room_id)
