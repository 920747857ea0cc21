"""What changed, written in the log in its writer's transaction and announced after the commit: on this node at once, on
others as they follow the log. Listeners are joined in `app`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

import sqlalchemy as sa

from control.ops.loops import once
from control.storage.database import Connection, Store
from control.storage.log import Entry, Log


class Changed(StrEnum):
    USER = "user"
    """What others see of a user, or which room is theirs."""
    LOGINS = "logins"
    """Some of a user's have ended."""
    PASSWORD = "password"
    """A user's: their logins and tickets have ended."""
    ROOM = "room"
    """What it says of itself, its passwords, or whether it is open."""
    GATE = "gate"
    BANS = "bans"
    """A room's, of one user."""
    TICKETS = "tickets"
    """A user's for a room were given back."""
    ACCOUNT = "account"
    """A user's was deleted, and with it their room, if they had one."""
    FOLLOWS = "follows"
    """A user follows a room, or follows it no more."""
    QUOTA = "quota"
    """How much a user's room may have."""
    WEBHOOKS = "webhooks"
    """A room's."""


@dataclass(frozen=True, slots=True)
class Change:
    """0 for what it is not about."""

    what: Changed
    room_id: int = 0
    user_id: int = 0


Listener = Callable[[Change], Awaitable[None]]
Note = Callable[[Change], None]


class Changes:
    def __init__(self, store: Store, log: Log) -> None:
        self._store = store
        self._log = log
        self._forgetting: list[Callable[[Change], None]] = []
        self._forgetting_all: list[Callable[[], None]] = []
        self._listeners: list[Listener] = []
        self._present: list[Callable[[], Iterable[int]]] = []
        self._acting: set[asyncio.Task[None]] = set()
        for what in Changed:
            self._log.on(what, self._heard)
        self._log.when_behind(self._lost)

    def forget(self, forgetting: Callable[[Change], None], everything: Callable[[], None]) -> None:
        """Of each change: what lies in memory of it; and all of it, where changes were missed. That comes first."""
        self._forgetting.append(forgetting)
        self._forgetting_all.append(everything)

    def listen(self, listener: Listener) -> None:
        self._listeners.append(listener)

    def present(self, rooms: Callable[[], Iterable[int]]) -> None:
        """Rooms that listeners look at anew where changes were missed."""
        self._present.append(rooms)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[tuple[Connection, Note]]:
        """One transaction, and what notes a change that it makes. Returns when each listener has acted on all of them,
        also where another could not. Raises what the first of those did: the changes hold all the same."""
        noted: list[Change] = []
        async with self._store.writing() as connection:
            yield connection, noted.append
            if noted:
                await connection.execute(
                    self._log.entries((each.what, each.room_id, each.user_id, "") for each in noted)
                )
        for change in noted:
            self._forget(change)
        acted = await asyncio.gather(*map(self._act, noted), return_exceptions=True)
        for failure in acted:
            if isinstance(failure, BaseException):
                raise failure

    async def write(self, change: Change, *statements: sa.sql.ClauseElement) -> None:
        """Likewise, of one change."""
        async with self.writing() as (connection, note):
            for statement in statements:
                await connection.execute(statement)
            note(change)

    def _forget(self, change: Change) -> None:
        for forgetting in self._forgetting:
            forgetting(change)

    async def _act(self, change: Change) -> None:
        acted = await asyncio.gather(*(listener(change) for listener in self._listeners), return_exceptions=True)
        for failure in acted:
            if isinstance(failure, BaseException):
                raise failure

    def _heard(self, entry: Entry) -> None:
        change = Change(Changed(entry.what), entry.room_id, entry.user_id)
        self._forget(change)
        self._act_aside(change)

    async def _lost(self) -> None:
        for everything in self._forgetting_all:
            everything()
        for room_id in {room_id for rooms in self._present for room_id in rooms()}:
            self._act_aside(Change(Changed.ROOM, room_id))

    def _act_aside(self, change: Change) -> None:
        """Nobody waits for it; whoever follows the log must not, either."""
        task = asyncio.create_task(once("change of another node", partial(self._act, change)))
        self._acting.add(task)
        task.add_done_callback(self._acting.discard)
