"""Writes what this node has on air, where every node's lists read it: gathered into one write, renewed before it
expires."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import sqlalchemy as sa

from control.clock import Clock
from control.live.audience import Audience, RoomNow
from control.live.broadcast_store import BroadcastStore
from control.live.broadcasts import Broadcasts
from control.live.presence import Presence
from control.ops import metrics
from control.storage.database import Store, insert, listed
from control.storage.tables import on_air

LIFETIME = 15.0  # seconds that a row is believed
AGAIN = 5.0  # seconds after which it is renewed
TOGETHER = 0.1  # seconds in which changes are gathered into one write

COLUMNS = ("node", "room_id", "live_since", "players", "expires_at")


@dataclass(frozen=True, slots=True)
class OnAir:
    """One room, as one node has it."""

    room_id: int
    live_since: float | None
    """Seconds since the epoch; None: viewers wait, there is no publisher."""
    players: int


@dataclass(kw_only=True)
class OnAirWriter:
    store: Store
    node: str
    presence: Presence
    audience: Audience
    broadcasts: Broadcasts
    broadcast_store: BroadcastStore
    clock: Clock
    observers: list[Callable[[list[OnAir]], None]] = field(default_factory=list)
    """Told all that this node has on air, once `broadcasts` know of it."""
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def next_change(self) -> None:
        """Returns when there is something to write, or rows are to be renewed."""
        try:
            async with self.clock.within(AGAIN):
                await self.presence.changed.wait()
                await self.clock.sleep(TOGETHER)
        except TimeoutError:
            pass  # nothing changed, which has to be written too

    async def write(self) -> None:
        """What fails is written again before it is missed."""
        async with self._turn:  # a write that is overtaken would put back what was before
            self.presence.changed.clear()
            rooms = self.audience.snapshot()
            self.broadcasts.observe(rooms)
            now_on_air = [OnAir(room.room_id, self._live_since(room), room.players) for room in rooms]
            for observer in self.observers:
                observer(now_on_air)
            metrics.live_rooms.set(sum(room.publisher is not None for room in rooms))
            metrics.players.set(sum(room.players for room in rooms))
            async with self.store.writing() as connection:
                for statement in (*self._statements(rooms), *self.broadcast_store.changes()):
                    await connection.execute(statement)
            self.broadcast_store.written()

    def _statements(self, rooms: list[RoomNow]) -> tuple[sa.sql.ClauseElement, ...]:
        expires_at = self.clock.now() + LIFETIME
        values = [(self.node, room.room_id, self._live_since(room), room.players, expires_at) for room in rooms]
        rows = listed(values, COLUMNS)
        upsert = insert(on_air).from_select(COLUMNS, rows)
        changes = {name: upsert.excluded[name] for name in ("live_since", "players", "expires_at")}
        gone = on_air.c.room_id.not_in(sa.select(rows.subquery().c.room_id))
        return (
            upsert.on_conflict_do_update(["node", "room_id"], set_=changes),
            on_air.delete().where(on_air.c.node == self.node, gone),
        )

    def _live_since(self, room: RoomNow) -> float | None:
        broadcast = self.broadcasts.of_room(room.room_id)
        return broadcast.started_at if broadcast and room.publisher else None
