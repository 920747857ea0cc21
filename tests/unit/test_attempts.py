from __future__ import annotations

import pytest

from control.live.attempts import KEPT, Attempt, Attempts
from tests.support.world import HandClock


def test_the_newest_attempt_is_the_first() -> None:
    clock = HandClock()
    attempts = Attempts(clock)
    attempts.note(1000001, "gate shut", "192.0.2.7", "OBS")
    clock.advance(5)
    attempts.note(1000001, "wrong anchor password", "192.0.2.8", "ffmpeg")
    assert attempts.of(1000001) == [
        Attempt(clock.now(), "wrong anchor password", "192.0.2.8", "ffmpeg"),
        Attempt(clock.now() - 5, "gate shut", "192.0.2.7", "OBS"),
    ]


def test_only_the_last_few_are_kept() -> None:
    attempts = Attempts(HandClock())
    for number in range(KEPT + 5):
        attempts.note(1000001, str(number), "", "")
    assert [each.reason for each in attempts.of(1000001)] == [str(number) for number in range(KEPT + 4, 4, -1)]


@pytest.mark.parametrize("room", [1000001, 1000002])
def test_rooms_are_kept_apart(room: int) -> None:
    attempts = Attempts(HandClock())
    attempts.note(1000001, "gate shut", "", "")
    assert len(attempts.of(room)) == (room == 1000001)
