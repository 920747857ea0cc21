from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pytest

from control.live.broadcast_store import BroadcastRecord, BroadcastStore
from control.live.past_broadcasts import KEPT, PastBroadcasts
from tests.support.world import HandClock

pytestmark = pytest.mark.anyio


class Nothing:
    """Stands in for a store in which no room ever was on air."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    async def of_room(self, room_id: int, before: float, count: int) -> Sequence[BroadcastRecord]:
        self.asked.append(room_id)
        return []


async def test_many_who_come_cost_one_query_and_nothing_stays_in_memory() -> None:
    clock, store = HandClock(), Nothing()
    past = PastBroadcasts(cast(BroadcastStore, store), clock, 1000)
    for room_id in (1, 2, 1, 2):
        assert not await past.of(room_id)
    assert store.asked == [1, 2]
    clock.advance(KEPT)
    assert not await past.of(3)
    assert len(past._kept) == 1
    assert not await past.of(1)
    assert store.asked == [1, 2, 3, 1]
