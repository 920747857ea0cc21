from __future__ import annotations

from pathlib import Path

import pytest

from control.supervisor import probe
from control.supervisor.watchdog import HUNG, Watchdog
from tests.support.world import HandClock


class Control:
    """Answers, or does not."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answers, self.clock = True, HandClock()
        monkeypatch.setattr(probe, "problem", lambda *_: "" if self.answers else "timed out")
        self.watchdog = Watchdog(Path("unused"), self.clock)

    def after(self, seconds: float, pid: int | None = 1) -> bool:
        self.clock.advance(seconds)
        return self.watchdog.hangs(pid)


@pytest.fixture
def control(monkeypatch: pytest.MonkeyPatch) -> Control:
    return Control(monkeypatch)


def test_one_that_answers_never_hangs(control: Control) -> None:
    assert not any(control.after(HUNG + 1) for _ in range(3))


def test_one_that_answers_no_more_hangs_after_a_while(control: Control) -> None:
    control.after(0)
    control.answers = False
    assert [control.after(HUNG), control.after(0.1)] == [False, True]


def test_one_that_starts_is_given_its_time(control: Control) -> None:
    control.answers = False
    assert not any(control.after(HUNG) for _ in range(5))


@pytest.mark.parametrize("pid", [2, None])
def test_another_life_begins_anew(control: Control, pid: int | None) -> None:
    control.after(0)
    control.answers = False
    assert [control.after(HUNG), control.after(1, pid), control.after(HUNG, pid)] == [False] * 3
