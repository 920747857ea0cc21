"""Users whom an operator keeps out, until they are let in again: they log in nowhere, choose no new password, watch by
no ticket, and nobody sends to their room."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from control.accounts.recovery import Tickets
from control.accounts.users import BLOCKED, User, ended_with_a_password
from control.clock import Clock, Epoch
from control.storage.changes import Change, Changed, Changes
from control.storage.database import Connection, Store
from control.storage.tables import rooms, users

LONG = 100 * 365 * 86400.0  # seconds, which a room's gate is shut for


@dataclass(kw_only=True)
class Blocking:
    store: Store
    tickets: Tickets
    changes: Changes
    clock: Clock

    async def is_blocked(self, user: User) -> bool:
        row = await self.store.fetch_one(sa.select(users.c.password_hash).where(users.c.id == user.id))
        return row is not None and row["password_hash"].startswith(BLOCKED)

    async def block(self, user: User) -> None:
        """Returns when all logins have ended, and nobody sends to the room any more. Who watches is out at their next
        renewal."""
        marked = users.update().values(password_hash=BLOCKED + users.c.password_hash)
        unmarked = users.c.password_hash.not_like(f"{BLOCKED}%")
        async with self.changes.writing() as (connection, note):
            await connection.execute(marked.where(users.c.id == user.id, unmarked))
            for statement in (*ended_with_a_password(user.id), await self.tickets.voiding(user.id)):
                await connection.execute(statement)
            note(Change(Changed.PASSWORD, user_id=user.id))
            for room_id in await _shut(connection, user, Epoch(self.clock.now() + LONG)):
                note(Change(Changed.GATE, room_id, user.id))

    async def unblock(self, user: User) -> None:
        """Their password is what it was, and their room's gate is open."""
        plain = sa.func.substr(users.c.password_hash, len(BLOCKED) + 1)
        marked = users.c.password_hash.like(f"{BLOCKED}%")
        async with self.changes.writing() as (connection, note):
            await connection.execute(users.update().values(password_hash=plain).where(users.c.id == user.id, marked))
            for room_id in await _shut(connection, user, Epoch(0.0)):
                note(Change(Changed.GATE, room_id, user.id))


async def _shut(connection: Connection, user: User, until: Epoch) -> list[int]:
    """The user's room, if they have one: it may have been made since they were looked up."""
    shut = rooms.update().where(rooms.c.owner_id == user.id).values(gate_shut_until=until)
    return [row["id"] for row in await connection.fetch_all(shut.returning(rooms.c.id))]
