"""What a room's page asks for beside the APIs: its past broadcasts, and its link as a code."""

from __future__ import annotations

from typing import Any

import pytest
import segno

from control.live.past_broadcasts import KEPT, SHOWN
from tests.contract.test_pages import OWN, ask, log_in
from tests.support.people import Person, argument, go_live, go_off, person, watch
from tests.support.world import Box

pytestmark = pytest.mark.anyio


async def streamed(box: Box, room: dict[str, Any], times: int = 1) -> None:
    """A broadcast of ten minutes with one viewer."""
    for _ in range(times):
        await go_live(box, room)
        assert await watch(box, 7, room["liveRoomId"], f"pwd={room['liveRoomUserPwd']}") == 204
        box.clock.advance(600)
        box.nginx.put(room["liveRoomId"], str(room["liveRoomId"]), publishing=True, timestamp=600_000)
        await box.settle()
        await go_off(box, room)
        await box.running.live.on_air_writer.write()
        box.clock.advance(60)
        await box.settle()


async def past(box: Box, room: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return await ask(box, "GetPastBroadcasts", liveRoomId=room["liveRoomId"], **fields)


async def test_everybody_is_told_an_open_rooms_past_broadcasts(box: Box, ann: Person) -> None:
    room = await ann.opens()
    assert (await past(box, room))["list"] == []
    await streamed(box, room)
    [one] = (await past(box, room))["list"]
    assert list(one) == ["startTime", "endTime", "duration", "peakCount"]
    assert one["duration"] == pytest.approx(one["endTime"] - one["startTime"], abs=1)
    assert one["duration"] >= 600
    assert one["peakCount"] == 1


async def test_one_that_goes_on_is_not_past_and_few_are_told(box: Box, ann: Person) -> None:
    room = await ann.opens()
    await streamed(box, room, SHOWN + 1)
    await go_live(box, room)
    told = (await past(box, room))["list"]
    assert len(told) == SHOWN
    assert told == sorted(told, key=lambda each: -each["startTime"])
    assert await past(box, room) == await past(box, room)
    box.clock.advance(KEPT)
    assert (await past(box, room))["list"] == told


async def test_a_private_rooms_are_for_who_may_watch(box: Box, ann: Person) -> None:
    room = await ann.opens(liveRoomUserPwd="viewer-1")
    await streamed(box, room)
    assert (await past(box, room))["status"] == 10003
    await log_in(box, "bob", "13500000002")
    assert (await past(box, room))["status"] == 10002
    assert (await past(box, room, ticket="made-up"))["status"] == 10204
    asked = {"liveroomId": room["liveRoomId"], "status": 1, "liveRoomUserPwd": "viewer-1"}
    ticket = argument((await ask(box, "PlayLiveStream", **asked))["playRtmpUrl"]).removeprefix("ticket=")
    assert len((await past(box, room, ticket=ticket))["list"]) == 1
    await ann.does("BanUser", liveRoomId=room["liveRoomId"], userId=2, status=1)
    assert (await past(box, room, ticket=ticket))["status"] == 10204


async def test_no_room_has_no_past(box: Box) -> None:
    assert (await ask(box, "GetPastBroadcasts", liveRoomId=77))["status"] == 10200
    assert (await box.http.post("/web/GetPastBroadcasts", json={})).status_code == 403


async def test_a_rooms_link_is_a_code(box: Box, ann: Person) -> None:
    room = (await ann.opens())["liveRoomId"]
    answer = await box.http.get(f"/web/room/{room}/qr.svg", headers=OWN)
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.text.startswith("<svg")
    other = await box.http.get(f"/web/room/{room + 1}/qr.svg")
    assert other.text != answer.text


async def test_a_link_by_a_host_that_is_none_is_a_code_too(box: Box) -> None:
    for length, is_host in ((253, True), (254, False), (4000, False)):
        answer = await box.http.get("/web/room/1000001/qr.svg", headers={"Host": "a" * length})
        other = await box.http.get("/web/room/1000001/qr.svg", headers={"Host": "localhost"})
        assert answer.status_code == 200
        assert (answer.content != other.content) is is_host


async def test_a_link_that_was_drawn_is_not_drawn_again(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    first = await box.http.get("/web/room/1000001/qr.svg")
    monkeypatch.setattr(segno, "make", None)
    assert (await box.http.get("/web/room/1000001/qr.svg")).content == first.content


async def test_a_visitor_is_told_whether_a_room_is_public(box: Box, ann: Person) -> None:
    room = (await ann.opens(isPublic=1))["liveRoomId"]
    assert (await box.http.get(f"/web/room/{room}")).json()["isPublic"] is True
    bob = await person(box, "bob", 2)
    other = (await bob.opens())["liveRoomId"]
    assert (await box.http.get(f"/web/room/{other}")).json()["isPublic"] is False
