"""Tickets that were given back before they expired."""

from __future__ import annotations

import sqlalchemy as sa

from control.storage.changes import Change, Changed, Changes
from control.storage.database import insert
from control.storage.tables import guest_revocations, ticket_revocations, user_revocations


class Revocations:
    """Writes them; `denials` has them for verdicts."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes

    def voiding(self, user_id: int, until_expiry_ms: int) -> sa.sql.ClauseElement:
        """What voids this user's tickets for all rooms, for its writer's own transaction."""
        row = {"user_id": user_id, "until_expiry_ms": until_expiry_ms}
        return insert(user_revocations).values(row).on_conflict_do_update(index_elements=["user_id"], set_=row)

    async def revoke(self, room_id: int, user_id: int, until_expiry_ms: int) -> None:
        """Voids this user's tickets for this room that expire by then; milliseconds since the epoch. Likewise a
        guest's, whose number is below zero."""
        table, name = (guest_revocations, "guest") if user_id < 0 else (ticket_revocations, "user_id")
        row = {"room_id": room_id, name: user_id, "until_expiry_ms": until_expiry_ms}
        voiding = insert(table).values(row).on_conflict_do_update(index_elements=["room_id", name], set_=row)
        await self._changes.write(Change(Changed.TICKETS, room_id, user_id), voiding)
