from __future__ import annotations

import pytest
from prometheus_client import REGISTRY

from control.ops.lag import EVERY, WINDOW, LoopLag
from tests.support.world import HandClock

pytestmark = pytest.mark.anyio


def shown() -> float:
    return round(REGISTRY.get_sample_value("qplus_event_loop_lag_seconds") or 0.0, 6)


async def test_the_longest_lag_is_shown_until_its_time_is_over() -> None:
    clock = HandClock()
    lag = LoopLag(clock)
    for late, wanted in [(0.0, 0.0), (0.25, 0.25), (0.05, 0.25)]:
        await clock.steps(EVERY + late, lag.measure())
        await lag.show()
        assert shown() == wanted
    for _ in range(WINDOW - 1):
        await clock.steps(EVERY, lag.measure())
    await lag.show()
    assert shown() == 0.05
    await clock.steps(EVERY, lag.measure())
    await lag.show()
    assert shown() == 0.0
