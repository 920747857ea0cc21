from __future__ import annotations

from control.clock import StepDetector
from tests.support.world import HandClock


def test_a_wall_clock_that_is_set_is_noticed_once() -> None:
    clock = HandClock()
    detector = StepDetector(clock)
    clock.advance(100)
    assert detector.step() == 0
    clock.jump(-3600)
    clock.advance(1)
    assert detector.step() == -3600
    assert detector.step() == 0
    clock.jump(20)
    assert detector.step() == 20
