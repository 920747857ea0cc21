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
        answer = await self.told(room, ticket)
        verdict: str = answer.headers["X-Verdict"]
        assert answer.status_code == (204 if verdict == "welcome" else 403)
        return verdict

    async def told(self, room: int = 0, ticket: str = "") -> httpx.Response:
        asked: dict[str, str | int] = {"room": room or self._stage.id, "ticket": ticket or self.ticket}
        return await self._stage.box.hooks.get("/hls", params=asked)

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


async def test_a_no_to_a_ticket_is_not_kept(viewer: Viewer) -> None:
    assert (await viewer.told(ticket="made-up")).headers["cache-control"] == "no-store"
    assert "cache-control" not in (await viewer.told()).headers


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


# --- what nginx/playlist.js has to know


async def since(viewer: Viewer) -> float:
    """Seconds since the epoch."""
    return int((await viewer.told()).headers["X-Since"]) / 1000


@pytest.mark.parametrize("step", [0, 3600, -3600])
async def test_the_broadcast_began_when_its_publisher_came_by_todays_clock(stage: Stage, step: int) -> None:
    came = stage.box.clock.now()
    await stage.publish(1)
    stage.box.clock.advance(2)
    await stage.box.settle()
    viewer = await enter(stage)
    stage.box.clock.advance(30)
    stage.box.clock.jump(step)
    assert await since(viewer) == came + step


@pytest.mark.parametrize(("gap", "same"), [(10, True), (11, False)])
async def test_a_publisher_that_is_back_soon_goes_on_with_its_broadcast(stage: Stage, gap: int, same: bool) -> None:
    came = stage.box.clock.now()
    await stage.publish(1)
    await stage.box.settle()
    stage.box.clock.advance(5)
    await stage.leave(1)
    stage.box.clock.advance(gap)
    again = stage.box.clock.now()
    await stage.publish(2)
    await stage.box.running.live.reconcilers.each[0].run()  # on air already, though not written down yet
    assert await since(await enter(stage)) == (came if same else again)


async def test_when_it_was_last_sound_alone_is_told(stage: Stage) -> None:
    await stage.publish(1)
    shown = stage.box.nginx.clients[1]
    shown.codecs, shown.timestamp = ("", "AAC"), 1999
    await stage.box.settle()
    viewer = await enter(stage)
    assert "X-Sound-Alone-At" not in (await viewer.told()).headers
    shown.timestamp, known = 2000, stage.box.clock.now()
    await stage.box.settle()
    stage.box.clock.advance(1)
    assert (await viewer.told()).headers["X-Sound-Alone-At"] == str(int(known * 1000))
    shown.codecs = ("H264", "AAC")  # its camera is switched on
    await stage.box.settle()
    assert (await viewer.told()).headers["X-Sound-Alone-At"] == str(int(known * 1000))


async def test_of_sound_alone_nothing_is_told_of_the_next_publisher(stage: Stage) -> None:
    await stage.publish(1, timestamp=5000)
    stage.box.nginx.clients[1].codecs = ("", "AAC")
    await stage.box.settle()
    viewer = await enter(stage)
    assert "X-Sound-Alone-At" in (await viewer.told()).headers
    await stage.leave(1)
    await stage.publish(2)
    await stage.box.settle()
    assert "X-Sound-Alone-At" not in (await viewer.told()).headers


async def test_whoever_is_not_let_in_is_told_nothing_of_the_broadcast(viewer: Viewer) -> None:
    assert "X-Since" not in (await viewer.told(ticket="x")).headers
