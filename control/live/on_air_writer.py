"""What this node says is on air, where every node's lists read it. Written together, said again before it expires."""

from __future__ import annotations

import asyncio

import sqlalchemy as sa

from control.clock import Clock
from control.live.audience import Audience, OnAir
from control.live.broadcast_store import BroadcastStore
from control.live.presence import Presence
from control.ops import metrics
from control.storage.database import Store, insert, listed
from control.storage.tables import on_air

LIFETIME = 15.0  # seconds that a row is believed
AGAIN = 5.0  # seconds after which it is said again
TOGETHER = 0.1  # seconds in which changes are gathered into one write


class OnAirWriter:
    def __init__(
        self,
        store: Store,
        node: str,
        presence: Presence,
        audience: Audience,
        broadcasts: BroadcastStore,
        clock: Clock,
    ) -> None:
        self._store = store
        self._node = node
        self._presence = presence
        self._audience = audience
        self._broadcast_store = broadcasts
        self._clock = clock
        self._turn = asyncio.Lock()

    async def next_change(self) -> None:
        """Returns when there is something to write, or what stands there is to be said again."""
        try:
            async with self._clock.within(AGAIN):
                await self._presence.changed.wait()
                await self._clock.sleep(TOGETHER)
        except TimeoutError:
            pass  # nothing changed, which has to be said too

    async def write(self) -> None:
        """What fails is said again before it is missed."""
        async with self._turn:  # a write that is overtaken would put back what was before
            self._presence.changed.clear()
            rooms = self._audience.on_air()
            metrics.live_rooms.set(sum(room.live_since is not None for room in rooms))
            metrics.players.set(sum(room.players for room in rooms))
            async with self._store.writing() as connection:
                for statement in (*self._said(rooms), *self._broadcast_store.changes()):
                    await connection.execute(statement)
            self._broadcast_store.written()

    def _said(self, rooms: list[OnAir]) -> tuple[sa.sql.ClauseElement, ...]:
        expires_at = self._clock.now() + LIFETIME
        columns = ("node", "room_id", "live_since", "players", "expires_at")
        rows = [(self._node, room.room_id, room.live_since, room.players, expires_at) for room in rooms]
        said = listed(rows, columns)
        fresh = insert(on_air).from_select(columns, said)
        changes = {name: fresh.excluded[name] for name in ("live_since", "players", "expires_at")}
        silent = on_air.c.room_id.not_in(sa.select(said.subquery().c.room_id))
        return (
            fresh.on_conflict_do_update(["node", "room_id"], set_=changes),
            on_air.delete().where(on_air.c.node == self._node, silent),
        )
