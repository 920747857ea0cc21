from __future__ import annotations

from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from control.ops.floods import SHOWN, SHOWN_IN_ALL, Floods
from tests.support.world import HandClock

pytestmark = pytest.mark.anyio


class Watched:
    def __init__(self) -> None:
        self.clock = HandClock()
        self.floods = Floods(self.clock)

    def shown(self, count: int, event: str = "play refused", **more: Any) -> int:
        """How many of so many lines stay lines."""
        stayed = 0
        for number in range(count):
            try:
                self.floods(None, "info", {"event": event, "address": f"192.0.2.{number % 250}"} | more)
                stayed += 1
            except structlog.DropEvent:
                pass
        return stayed

    async def told(self) -> list[dict[str, Any]]:
        with capture_logs() as lines:
            await self.floods.tell()
        return [dict(line) for line in lines]


@pytest.fixture
def watched() -> Watched:
    return Watched()


async def test_a_few_refusals_have_a_line_each(watched: Watched) -> None:
    assert watched.shown(SHOWN) == SHOWN
    watched.clock.advance(1)
    assert await watched.told() == []


async def test_a_flood_is_told_in_one_line(watched: Watched) -> None:
    assert watched.shown(1000, room=1000001, reason="wrong viewing password") == SHOWN
    assert await watched.told() == []  # the second goes on
    watched.clock.advance(1)
    [line] = await watched.told()
    assert (line["event"], line["what"], line["room"]) == ("refusals left out", "play", 1000001)
    assert (line["count"], line["networks"]) == (1000 - SHOWN, 250)
    assert await watched.told() == []


async def test_a_flood_of_one_kind_hides_no_other(watched: Watched) -> None:
    watched.shown(1000, room=1000001, reason="wrong viewing password")
    assert watched.shown(1, room=1000001, reason="banned") == 1
    assert watched.shown(1, room=1000002, reason="wrong viewing password") == 1
    assert watched.shown(1, "publish refused", room=1000001) == 1


async def test_a_flood_hides_not_whom_it_hits(watched: Watched) -> None:
    watched.shown(1000, "login refused", user=1)
    assert watched.shown(1, "login refused", user=2) == 1
    hit = {"secret": "anchor password", "subject": 1000001}
    assert watched.shown(1000, "limit reached", **hit, by="address and subject") == SHOWN
    assert watched.shown(1, "limit reached", **hit | {"subject": 1000002}) == 1
    assert watched.shown(1, "limit reached", **hit | {"secret": "viewing password"}) == 1
    watched.clock.advance(1)
    login, limit = await watched.told()
    assert (login["what"], login["user"], login["count"]) == ("login", 1, 1000 - SHOWN)
    assert (limit["what"], limit["secret"], limit["subject"]) == ("limit reached", *hit.values())


async def test_a_flood_over_many_rooms_is_bounded_too(watched: Watched) -> None:
    assert sum(watched.shown(1, room=room) for room in range(5000)) == SHOWN_IN_ALL
    watched.clock.advance(1)
    lines = await watched.told()
    assert len(lines) < 1000
    assert sum(line["count"] for line in lines) == 5000 - SHOWN_IN_ALL


async def test_the_next_second_shows_some_again(watched: Watched) -> None:
    watched.shown(100)
    watched.clock.advance(1)
    assert watched.shown(100) == SHOWN


async def test_what_is_no_refusal_is_never_left_out(watched: Watched) -> None:
    assert watched.shown(1000, "publisher let in") == 1000
