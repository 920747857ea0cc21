from __future__ import annotations

import pytest

from control.live import viewer_events as module
from control.live.audience import Audience
from control.live.heartbeats import Heartbeats
from control.live.presence import Presence
from control.live.viewer_events import TOLD_TOGETHER, ViewerEvents
from control.storage.room_events import EventKind
from tests.support.receiver import Events
from tests.support.world import HandClock

pytestmark = pytest.mark.anyio

ROOM, OTHER = 1000001, 1000002


@pytest.fixture
def events() -> Events:
    return Events()


@pytest.fixture
def viewers(events: Events) -> ViewerEvents:
    made = ViewerEvents(events, lambda room_id: 7)
    made.rooms = frozenset({ROOM})
    return made


async def test_who_comes_and_who_goes_is_told_together(viewers: ViewerEvents, events: Events) -> None:
    for user, came in (("2", True), ("-5", True), ("3", False)):
        viewers.note(ROOM, user, came)
    await viewers.step()
    assert events.put_in == [
        (
            ROOM,
            EventKind.JOINED,
            {
                "viewers": [
                    {"viewerId": "2", "userId": 2, "isGuest": 0},
                    {"viewerId": "-5", "userId": 0, "isGuest": 1},
                ],
                "playerCount": 7,
            },
        ),
        (ROOM, EventKind.LEFT, {"viewers": [{"viewerId": "3", "userId": 3, "isGuest": 0}], "playerCount": 7}),
    ]


async def test_who_is_not_known_has_a_name_that_tells_no_secret(viewers: ViewerEvents, events: Events) -> None:
    viewers.note(ROOM, "local.aaaa0001.7", True)
    await viewers.step()
    [(_, _, told)] = events.put_in
    assert len(told["viewers"][0]["viewerId"]) == 16
    assert "aaaa0001" not in str(told)


async def test_who_is_back_at_once_was_not_away(viewers: ViewerEvents, events: Events) -> None:
    for came in (False, True):
        viewers.note(ROOM, "2", came)
    await viewers.step()
    assert events.put_in == []


async def test_a_crowd_is_told_in_parts(viewers: ViewerEvents, events: Events) -> None:
    for user in range(1, 2 * TOLD_TOGETHER + 2):
        viewers.note(ROOM, str(user), True)
    await viewers.step()
    assert [len(told["viewers"]) for _, _, told in events.put_in] == [TOLD_TOGETHER, TOLD_TOGETHER, 1]


async def test_more_than_can_be_gathered_are_left_out_and_logged(
    viewers: ViewerEvents, events: Events, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "MOST", 2)
    for user in range(1, 6):
        viewers.note(ROOM, str(user), True)
    await viewers.step()
    assert [len(told["viewers"]) for _, _, told in events.put_in] == [2]
    assert "viewers left out" in capsys.readouterr().out


async def test_a_user_who_watches_twice_comes_and_goes_once(viewers: ViewerEvents, events: Events) -> None:
    clock = HandClock()
    presence = Presence(clock)
    heartbeats = Heartbeats(clock, presence.changed)
    audience = Audience(presence, heartbeats, viewers)
    for room in (ROOM, OTHER):
        heartbeats.beat(room, 2, None)  # type: ignore[arg-type]
    audience.changed(10)
    await viewers.step()
    assert [(room, kind) for room, kind, _ in events.put_in] == [(ROOM, EventKind.JOINED)]
    heartbeats.end(ROOM, 2)
    audience.changed(10)
    await viewers.step()
    assert events.told()[1:] == [(EventKind.LEFT,)]
