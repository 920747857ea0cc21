"""Broadcasts of a room that are over, for its page: as of some seconds ago, so that many who come cost one query."""

from __future__ import annotations

from collections.abc import Sequence

from control.clock import Clock
from control.live.broadcast_store import BroadcastRecord, BroadcastStore
from control.storage.cache import Cache

SHOWN = 10
KEPT = 5.0  # seconds


class PastBroadcasts:
    """`most` rooms' are kept in memory."""

    def __init__(self, store: BroadcastStore, clock: Clock, most: int) -> None:
        self._store = store
        self._clock = clock
        self._kept: Cache[tuple[int, int], Sequence[BroadcastRecord]] = Cache(self._load, most)

    async def of(self, room_id: int) -> Sequence[BroadcastRecord]:
        """The newest first, at most SHOWN."""
        return await self._kept.get((room_id, int(self._clock.ticks() // KEPT))) or ()

    async def _load(self, keys: Sequence[tuple[int, int]]) -> dict[tuple[int, int], Sequence[BroadcastRecord]]:
        return {key: await self._past(key[0]) for key in keys}

    async def _past(self, room_id: int) -> Sequence[BroadcastRecord]:
        newest = await self._store.of_room(room_id, 0, SHOWN + 1)  # one of which may go on
        return [record for record in newest if record.ended_at is not None][:SHOWN]
