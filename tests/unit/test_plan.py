from __future__ import annotations

import copy
from typing import Any

import pytest

from control.access.verdicts import Role
from control.clock import Ticks
from control.live.presence import Session, SessionKey
from control.nginx_rtmp.plan import JOINING, Plan, key_of, plan
from control.nginx_rtmp.stat import SeenClient, Snapshot

NOW = Ticks(1000.0)
FIRST_MEDIA = 10.0
ROOM = 1000001
LONG_AGO, JUST_NOW = Ticks(NOW - 60), Ticks(NOW - JOINING / 2)


def held(client: int = 1, role: Role = Role.PLAYER, since: float = LONG_AGO, start: str = "s1") -> Session:
    return Session(SessionKey("local", start, client), role, ROOM, "192.0.2.7", Ticks(since))


def seen(client: int = 1, publishing: bool = False, **more: Any) -> SeenClient:
    usual = SeenClient(client, str(ROOM), publishing, True, 500, "192.0.2.7", "test", 1.0)
    return usual._replace(**more)


def planned(holding: list[Session], seeing: list[SeenClient], gone: dict[int, float] | None = None) -> Plan:
    snapshot = Snapshot("s1", 4711, NOW, tuple(seeing))
    ended = {client: Ticks(at) for client, at in (gone or {}).items()}
    return plan(snapshot, holding, ended.get, lambda name: name == str(ROOM), FIRST_MEDIA)


PUBLISHER = held(role=Role.PUBLISHER)
FRESH = held(role=Role.PUBLISHER, since=NOW - FIRST_MEDIA + 1)
NO_MEDIA = seen(publishing=True, active=False, timestamp=0)


@pytest.mark.parametrize(
    ("holding", "seeing", "gone", "wanted"),
    [
        pytest.param([], [], {}, Plan(), id="nobody here"),
        pytest.param([held()], [seen()], {}, Plan(), id="a player held and seen"),
        pytest.param([PUBLISHER], [seen(publishing=True)], {}, Plan(), id="a publisher held and seen"),
        pytest.param([held()], [], {}, Plan(end=[held()]), id="held, not seen"),
        pytest.param([], [seen()], {}, Plan(add=[seen()]), id="seen, not held"),
        pytest.param([held(since=JUST_NOW)], [], {}, Plan(), id="joining, not seen yet"),
        pytest.param([held(since=NOW + 1)], [], {}, Plan(), id="came after the question"),
        pytest.param(
            [held(start="s0")], [seen()], {}, Plan(end=[held(start="s0")], add=[seen()]), id="nginx restarted"
        ),
        pytest.param([held(start="s2", since=NOW + 1)], [], {}, Plan(), id="nginx restarted after the question"),
        pytest.param([], [seen()], {1: NOW - 1}, Plan(), id="gone lately"),
        pytest.param([], [seen()], {1: NOW + 1}, Plan(), id="gone after the question"),
        pytest.param([], [seen()], {1: NOW - JOINING - 1}, Plan(add=[seen()]), id="said to be gone, but still there"),
        pytest.param([held()], [seen(name="1000002")], {}, Plan(end=[held()]), id="in another room"),
        pytest.param([held()], [seen(publishing=True)], {}, Plan(end=[held()]), id="a player that publishes"),
        pytest.param([PUBLISHER], [seen()], {}, Plan(end=[PUBLISHER]), id="a publisher that plays"),
        pytest.param([], [seen(name="squat")], {}, Plan(drop=[seen(name="squat")]), id="no room of ours"),
        pytest.param([], [seen(name="squat")], {1: NOW}, Plan(), id="no room of ours, but gone lately"),
        pytest.param([PUBLISHER], [NO_MEDIA], {}, Plan(silent=[PUBLISHER]), id="a publisher without media"),
        pytest.param([FRESH], [NO_MEDIA], {}, Plan(), id="a publisher whose media may still come"),
        pytest.param([], [seen(address="127.0.0.1:1936/hls")], {}, Plan(), id="a relay is not added"),
        pytest.param([], [seen(name="x", address="127.0.0.1/x")], {}, Plan(), id="a relay is not dropped"),
        pytest.param([held()], [seen(address="h/x")], {}, Plan(end=[held()]), id="a relay vouches for nobody"),
    ],
)
def test_the_difference_is_found(
    holding: list[Session], seeing: list[SeenClient], gone: dict[int, float], wanted: Plan
) -> None:
    found = planned(holding, seeing, gone)
    assert found == wanted
    assert bool(found) is bool(wanted)


def test_a_plan_changes_nothing_by_itself() -> None:
    holding = [held(1), held(2, Role.PUBLISHER), held(3, start="s0")]
    before = copy.deepcopy(holding)
    assert planned(holding, [seen(1), seen(4)]) == planned(holding, [seen(1), seen(4)])
    assert holding == before


def test_a_key_has_the_nginx_it_was_seen_at() -> None:
    assert key_of("ams-1", Snapshot("s7", 1, NOW, ()), 5) == SessionKey("ams-1", "s7", 5)
