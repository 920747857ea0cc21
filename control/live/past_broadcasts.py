"""Broadcasts of a room that are over, for its page: as of some seconds ago, so that many who come cost one query."""

from __future__ import annotations

from collections.abc import Sequence

from control.clock import Clock
from control.live.broadcast_store import BroadcastRecord, BroadcastStore
from control.storage.cache import Cache

SHOWN = 10
KEPT = 5.0  # seconds


class PastBroadcasts:
    """`most` rooms' are kept in memory, and none for longer than KEPT."""

    def __init__(self, store: BroadcastStore, clock: Clock, most: int) -> None:
        self._store = store
        self._clock = clock
        self._kept: Cache[int, Sequence[BroadcastRecord]] = Cache(self._load, most)
        self._turn = 0

    async def of(self, room_id: int) -> Sequence[BroadcastRecord]:
        """The newest first, at most SHOWN."""
        turn = int(self._clock.ticks() // KEPT)
        if turn != self._turn:
            self._turn = turn
            self._kept.clear()
        return await self._kept.get(room_id) or ()

    async def _load(self, room_ids: Sequence[int]) -> dict[int, Sequence[BroadcastRecord]]:
        return {room_id: await self._past(room_id) for room_id in room_ids}

    async def _past(self, room_id: int) -> Sequence[BroadcastRecord]:
        newest = await self._store.of_room(room_id, 0, SHOWN + 1)  # one of which may go on
        return [record for record in newest if record.ended_at is not None][:SHOWN]
