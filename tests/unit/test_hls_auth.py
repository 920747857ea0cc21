from __future__ import annotations

from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY

from control.live.heartbeats import LIFETIME
from tests.support.stage import Stage

pytestmark = pytest.mark.anyio


class Viewer:
    """Somebody's phone: the ticket is in the address it was given."""

    def __init__(self, stage: Stage, session: str) -> None:
        self._stage, self._session = stage, session
        self.ticket = ""

    async def enter(self) -> None:
        urls = await self._ask(1)
        self.ticket = urls["playRtmpUrl"].partition("ticket=")[2]

    async def give_back(self) -> None:
        await self._ask(0)

    async def look(self, room: int = 0, ticket: str = "") -> str:
        """What the web nginx is told: the verdict."""
        asked: dict[str, str | int] = {"room": room or self._stage.id, "ticket": ticket or self.ticket}
        answer = await self._stage.box.hooks.get("/hls", params=asked)
        verdict = answer.headers["X-Verdict"]
        assert answer.status_code == (204 if verdict == "welcome" else 403)
        return verdict

    async def _ask(self, status: int) -> dict[str, Any]:
        room = self._stage.id
        return await self._stage.box.api("PlayLiveStream", sessionId=self._session, liveroomId=room, status=status)


async def enter(stage: Stage, number: int = 1) -> Viewer:
    made = Viewer(stage, await stage.box.session(f"viewer{number}", f"1370000000{number}"))
    await made.enter()
    return made


@pytest.fixture
async def viewer(stage: Stage) -> Viewer:
    await stage.publish(1)
    await stage.box.settle()
    return await enter(stage)


async def test_a_ticket_lets_watch_and_is_counted(stage: Stage, viewer: Viewer) -> None:
    assert [await viewer.look(), await viewer.look()] == ["welcome", "welcome"]
    assert await stage.said() == (True, 1)


async def test_viewers_are_counted_apart(stage: Stage, viewer: Viewer) -> None:
    other = await enter(stage, 2)
    assert [await viewer.look(), await other.look()] == ["welcome", "welcome"]
    assert await stage.said() == (True, 2)


async def test_whoever_watches_over_rtmp_too_is_one(stage: Stage, viewer: Viewer) -> None:
    await viewer.look()
    await stage.play(2, f"ticket={viewer.ticket}")
    assert await stage.said() == (True, 1)


async def test_whoever_stops_asking_is_forgotten(stage: Stage, viewer: Viewer) -> None:
    await viewer.look()
    stage.box.clock.advance(LIFETIME)
    assert await stage.status() == (True, 1)
    stage.box.clock.advance(0.1)
    assert await stage.status() == (True, 0)


async def test_owners_are_no_viewers_of_their_own_room(stage: Stage, viewer: Viewer) -> None:
    own = Viewer(stage, stage.session)
    await own.enter()
    assert await own.look() == "welcome"
    assert await stage.said() == (True, 0)


@pytest.mark.parametrize("media", [False, True])
async def test_a_room_without_media_is_off_air(stage: Stage, media: bool) -> None:
    await stage.publish(1, timestamp=500 if media else 0)
    await stage.box.settle()
    viewer = await enter(stage)
    assert await viewer.look() == ("welcome" if media else "off-air")
    await stage.leave(1)
    assert await viewer.look() == "off-air"


async def test_what_is_no_ticket_is_refused(stage: Stage, viewer: Viewer) -> None:
    for ticket in ("x", viewer.ticket[:-1], viewer.ticket + "A", ".".join(["1"] * 6), stage.user):
        assert await viewer.look(ticket=ticket) == "refused"
    assert await viewer.look(room=stage.id + 1) == "refused"
    assert await stage.said() == (True, 0)


async def test_a_ticket_that_is_given_back_counts_no_more(stage: Stage, viewer: Viewer) -> None:
    await viewer.look()
    await viewer.give_back()
    assert await stage.said() == (True, 0)
    assert await viewer.look() == "refused"


async def test_a_new_viewing_password_ends_what_was_there(stage: Stage, viewer: Viewer) -> None:
    await viewer.look()
    await stage.own("ModifyMyLiveRoom", liveRoomUserPwd="another-one")
    assert await stage.said() == (True, 0)
    assert await viewer.look() == "refused"


async def test_a_change_that_is_no_affair_of_viewers_leaves_them(stage: Stage, viewer: Viewer) -> None:
    await viewer.look()
    await stage.own("ModifyMyLiveRoom", liveRoomTopic="another")
    assert await stage.said() == (True, 1)


async def test_only_the_internal_door_answers(stage: Stage, viewer: Viewer) -> None:
    answer: httpx.Response = await stage.box.http.get("/hls", params={"room": stage.id, "ticket": viewer.ticket})
    assert answer.status_code == 404


@pytest.mark.parametrize("verdict", ["welcome", "refused"])
async def test_answers_are_counted(viewer: Viewer, verdict: str) -> None:
    def counted() -> float:
        return REGISTRY.get_sample_value("qplus_hls_questions_total", {"answer": verdict}) or 0.0

    before = counted()
    assert await viewer.look(ticket="" if verdict == "welcome" else "x") == verdict
    assert counted() == before + 1


async def test_counts_can_be_scraped_from_inside_only(stage: Stage, viewer: Viewer) -> None:
    await stage.said()
    page = await stage.box.hooks.get("/metrics")
    assert "qplus_live_rooms 1.0" in page.text
    assert (await stage.box.http.get("/metrics")).status_code == 404
