"""One row for each broadcast, whatever dies while it goes on."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

from tests.chaos.scenes import broadcast, replaced, right
from tests.e2e.conftest import Node, Room, until

pytestmark = pytest.mark.anyio


async def told(node: Node, room: Room) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = (await node.api("GetMyLiveSessions", sessionId=room.session))["list"]
    return rows


async def ended(node: Node, room: Room) -> dict[str, Any]:
    """The only one, once it has ended."""

    async def over() -> dict[str, Any] | None:
        (row,) = await told(node, room)
        return row if row["endTime"] else None

    row: dict[str, Any] = await until(over)
    return row


async def test_a_publisher_that_comes_back_goes_on_with_the_same_one(node: Node) -> None:
    async with broadcast(node, viewers=2) as (room, clients):
        await clients[0].close()
        await right(node, room, live=False, players=2)
        assert (await ended(node, room))["endReason"] == "left"
        async with node.publisher(room.push):
            await right(node, room, live=True, players=2)
            (row,) = await told(node, room)
            assert (row["endTime"], row["endReason"], row["peakCount"], row["totalCount"]) == (0, "", 2, 2)


async def test_a_control_that_was_killed_goes_on_with_the_same_one(node: Node) -> None:
    async with broadcast(node, viewers=2) as (room, clients):
        (before,) = await told(node, room)
        old = node.pid("control")
        os.kill(old, signal.SIGKILL)
        await replaced(node, "control", old)
        await clients[1].close()
        async with node.player(room.play):

            async def is_third() -> dict[str, Any] | None:
                (row,) = await told(node, room)
                return row if row["totalCount"] == 3 else None

            row: dict[str, Any] = await until(is_third)
            await right(node, room, live=True, players=2)
        assert (row["startTime"], row["endTime"]) == (before["startTime"], 0)


async def test_an_nginx_that_was_killed_with_its_publishers_has_ended_it(node: Node) -> None:
    async with broadcast(node, viewers=1) as (room, _):
        old = node.pid("rtmp")
        os.kill(old, signal.SIGKILL)
        await replaced(node, "rtmp", old)
        await right(node, room, live=False, players=0)
        assert (await ended(node, room))["endReason"] == "lost"
        async with node.publisher(room.push):
            await right(node, room, live=True, players=0)
            assert [row["endTime"] for row in await told(node, room)] == [0]


async def test_all_killed_and_nobody_back_has_ended_it(node: Node) -> None:
    async with broadcast(node, viewers=1) as (room, _):
        parts = {part: node.pid(part) for part in ("control", "rtmp")}
        for pid in parts.values():
            os.kill(pid, signal.SIGKILL)
        for part, pid in parts.items():
            await replaced(node, part, pid)
        row = await ended(node, room)
        assert (row["endReason"], row["peakCount"], row["totalCount"]) == ("lost", 1, 1)


@pytest.mark.parametrize(
    ("how", "api", "fields"),
    [
        ("gate", "PushLiveStream", {"status": 0}),
        ("password", "ModifyMyLiveRoom", {"liveRoomAnchorPwd": "another"}),
    ],
)
async def test_an_owner_is_told_how_it_ended(node: Node, how: str, api: str, fields: dict[str, Any]) -> None:
    async with broadcast(node, viewers=1) as (room, clients):
        await node.api(api, sessionId=room.session, liveRoomId=room.id, **fields)
        await clients[0].closed()
        assert (await ended(node, room))["endReason"] == how
