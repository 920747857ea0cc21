from __future__ import annotations

import pytest

from control.clock import Epoch
from control.nginx_rtmp.refused_pushes import ENCODER, KEPT, ROOMS, RefusedPush, RefusedPushes
from control.storage.room_events import EventKind
from tests.support.receiver import Events
from tests.support.world import HandClock


def test_the_newest_attempt_is_the_first() -> None:
    clock = HandClock()
    pushes = RefusedPushes(clock, Events())
    pushes.note(1000001, "gate shut", "192.0.2.7", "OBS")
    clock.advance(5)
    pushes.note(1000001, "wrong anchor password", "192.0.2.8", "ffmpeg")
    assert pushes.of(1000001) == [
        RefusedPush(clock.now(), "wrong anchor password", "192.0.2.8", "ffmpeg"),
        RefusedPush(Epoch(clock.now() - 5), "gate shut", "192.0.2.7", "OBS"),
    ]


def test_only_the_last_few_are_kept() -> None:
    pushes = RefusedPushes(HandClock(), Events())
    for number in range(KEPT + 5):
        pushes.note(1000001, str(number), "", "")
    assert [each.reason for each in pushes.of(1000001)] == [str(number) for number in range(KEPT + 4, 4, -1)]


@pytest.mark.parametrize("room", [1000001, 1000002])
def test_rooms_are_kept_apart(room: int) -> None:
    pushes = RefusedPushes(HandClock(), Events())
    pushes.note(1000001, "gate shut", "", "")
    assert len(pushes.of(room)) == (room == 1000001)


def test_those_of_the_last_rooms_are_kept_and_no_long_name_of_an_encoder() -> None:
    pushes = RefusedPushes(HandClock(), Events())
    for room in range(ROOMS + 1):
        pushes.note(room, "no such room", "", "x" * 1000)
    assert not pushes.of(0)
    assert [len(each.encoder) for each in pushes.of(ROOMS)] == [ENCODER]


def test_of_those_that_are_refused_alike_one_a_minute_is_told() -> None:
    clock, events = HandClock(), Events()
    pushes = RefusedPushes(clock, events)
    for _ in range(13):
        pushes.note(1000001, "gate shut", "192.0.2.7", "OBS")
        clock.advance(5)
    pushes.note(1000001, "wrong anchor password", "192.0.2.8", "")
    assert [(kind, told["reason"], told["count"]) for _, kind, told in events.put_in] == [
        (EventKind.REFUSED, "gate shut", 1),
        (EventKind.REFUSED, "gate shut", 12),
        (EventKind.REFUSED, "wrong anchor password", 1),
    ]
    assert events.put_in[0][2] == {"reason": "gate shut", "address": "192.0.2.7", "encoder": "OBS", "count": 1}
