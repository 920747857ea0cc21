"""PushLiveStream: the gate of a room."""

from __future__ import annotations

from typing import Any

import pytest

from control.settings import Settings
from tests.support import world
from tests.support.people import Person, go_live, person
from tests.support.world import Box

pytestmark = pytest.mark.anyio


async def says(ann: Person, room: dict[str, Any], status: int, **fields: int) -> None:
    await ann.does("PushLiveStream", liveRoomId=room["liveRoomId"], status=status, **fields)


async def stops(box: Box, ann: Person, room: dict[str, Any], **fields: int) -> None:
    """A publisher is connected, and the owner ends its stream."""
    await go_live(box, room)
    await says(ann, room, 0, **fields)
    assert box.nginx.dropped == [room["liveRoomId"]]


async def verdict(box: Box, room: dict[str, Any], client: int = 50) -> int:
    """On a publisher that comes and leaves again."""
    name = str(room["liveRoomId"])
    answer = await box.callback("publish", client, name, f"pwd={room['liveRoomAnchorPwd']}")
    await box.callback("done", client, name)
    return answer


async def test_the_gate_starts_open(box: Box) -> None:
    room = await (await person(box)).opens()
    assert await verdict(box, room) == 204


async def test_status_1_makes_no_room_live(box: Box) -> None:
    ann = await person(box)
    room = await ann.opens()
    await says(ann, room, 1)
    await box.settle()
    assert (await ann.finds(room["liveRoomId"]))["isPlay"] == 0
    assert await ann.page() == []


async def test_status_0_puts_the_publisher_out(box: Box) -> None:
    ann = await person(box)
    room = await ann.opens()
    await go_live(box, room)
    await says(ann, room, 0)
    assert box.nginx.dropped == [room["liveRoomId"]]
    await box.settle()
    assert (await ann.finds(room["liveRoomId"]))["isPlay"] == 0


async def test_status_0_leaves_other_rooms(box: Box) -> None:
    ann, bob = await person(box), await person(box, "bob", 2)
    rooms = [await ann.opens(), await bob.opens()]
    await go_live(box, *rooms)
    await says(ann, rooms[0], 0)
    await box.settle()
    assert await bob.page() == [rooms[1]["liveRoomId"]]
    assert box.nginx.dropped == [rooms[0]["liveRoomId"]]


async def test_a_shut_gate_holds_against_an_encoder_that_comes_back(box: Box) -> None:
    ann = await person(box)
    room = await ann.opens()
    await stops(box, ann, room)
    for client in range(50, 59):
        assert await verdict(box, room, client) == 403
        box.clock.advance(60 / 9)
    assert await verdict(box, room, 60) == 204


@pytest.mark.parametrize("seconds", [5, 60, 3600])
async def test_a_gate_is_shut_for_the_time_asked_for(box: Box, seconds: int) -> None:
    ann = await person(box)
    room = await ann.opens()
    await stops(box, ann, room, timeout=seconds)
    box.clock.advance(seconds - 1)
    assert await verdict(box, room, 50) == 403
    box.clock.advance(1)
    assert await verdict(box, room, 51) == 204


async def test_status_1_opens_a_shut_gate_at_once(box: Box) -> None:
    ann = await person(box)
    room = await ann.opens()
    await stops(box, ann, room, timeout=3600)
    await says(ann, room, 1)
    assert await verdict(box, room) == 204


async def test_a_publisher_stays_when_status_1_lapses(box: Box) -> None:
    ann = await person(box)
    room = await ann.opens()
    await says(ann, room, 1, timeout=5)
    await go_live(box, room)
    box.clock.advance(6)
    name, shown = str(room["liveRoomId"]), f"pwd={room['liveRoomAnchorPwd']}"
    assert await box.callback("update", room["liveRoomId"], name, shown, timestamp=6000) == 204
    assert box.nginx.dropped == []


async def test_a_shut_gate_leaves_viewers(box: Box) -> None:
    ann = await person(box)
    room = await ann.opens()
    await stops(box, ann, room)
    assert await box.callback("play", 70, str(room["liveRoomId"]), f"pwd={room['liveRoomUserPwd']}") == 204


async def test_a_stop_with_nobody_publishing_leaves_the_gate(box: Box) -> None:
    ann = await person(box)
    room = await ann.opens()
    await says(ann, room, 0)
    assert await verdict(box, room) == 204


async def test_the_shipped_app_can_stop_and_start_again(box: Box) -> None:
    """It stops its encoder and then sends status 0; it pushes, and once connected sends status 1."""
    ann = await person(box)
    room = await ann.opens()
    name, shown = str(room["liveRoomId"]), f"pwd={room['liveRoomAnchorPwd']}"
    for client in (1, 2):
        assert await box.callback("publish", client, name, shown) == 204
        await says(ann, room, 1)
        await box.callback("done", client, name)
        await says(ann, room, 0, timeout=60)
        box.clock.advance(3)


async def test_a_refused_request_leaves_the_gate(box: Box) -> None:
    ann, bob = await person(box), await person(box, "bob", 2)
    room = await ann.opens()
    await bob.opens()
    assert (await bob.says("PushLiveStream", liveRoomId=room["liveRoomId"], status=0))["status"] == 10200
    assert (await ann.says("PushLiveStream", liveRoomId=room["liveRoomId"], status=0, timeout="x"))["status"] == 10002
    assert await verdict(box, room) == 204


async def test_a_gate_is_still_shut_after_a_restart(settings: Settings) -> None:
    async with world.box(settings) as before:
        ann = await person(before)
        room = await ann.opens()
        await stops(before, ann, room, timeout=3600)
    async with world.box(settings, clock=before.clock) as after:
        assert await verdict(after, room, 50) == 403
        after.clock.advance(3600)
        assert await verdict(after, room, 51) == 204
