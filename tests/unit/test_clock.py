from __future__ import annotations

from control.clock import Watch
from tests.support.world import HandClock


def test_a_wall_clock_that_is_set_is_noticed_once() -> None:
    clock = HandClock()
    watch = Watch(clock)
    clock.advance(100)
    assert watch.step() == 0
    clock.jump(-3600)
    clock.advance(1)
    assert watch.step() == -3600
    assert watch.step() == 0
    clock.jump(20)
    assert watch.step() == 20
