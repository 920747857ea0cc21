"""kill -9 and SIGSTOP of every part, under a live stream and its viewers."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from tests.e2e.conftest import Node, Room, until
from tests.rtmp.client import Client

pytestmark = pytest.mark.anyio

REPAIRED = 10.0  # seconds within which status and counts are right again, whatever died


@asynccontextmanager
async def broadcast(node: Node, viewers: int = 3) -> AsyncIterator[tuple[Room, list[Client]]]:
    """A live room and everybody in it, the publisher first."""
    room = await node.room()
    async with AsyncExitStack() as stay:
        publisher = await stay.enter_async_context(node.publisher(room.push))
        players = [await stay.enter_async_context(node.player(room.play)) for _ in range(viewers)]
        await node.live(room)
        await node.counted(room, viewers)
        yield room, [publisher, *players]


async def right(node: Node, room: Room, live: bool, players: int) -> None:
    """Waits until status and count are that, as long as a repair may take."""

    async def told() -> bool:
        return (await node.is_live(room), await node.players(room)) == (live, players)

    await until(told, REPAIRED)


async def replaced(node: Node, part: str, old: int) -> None:
    async def new() -> bool:
        file = node.settings.run_dir / f"{part}.pid"
        return file.exists() and file.read_text().strip() not in ("", str(old))

    await until(new)
    await node.ready()


def worker_of(master: int) -> int:
    return int(Path(f"/proc/{master}/task/{master}/children").read_text().split()[0])


async def test_control_killed_cuts_nobody_and_knows_all_again(node: Node) -> None:
    async with broadcast(node) as (room, clients):
        since = await listed(node, room)
        old = node.pid("control")
        os.kill(old, signal.SIGKILL)
        async with node.player(room.play):  # waits for the next control, and is not refused
            await replaced(node, "control", old)
            await right(node, room, live=True, players=4)
        await right(node, room, live=True, players=3)
        assert not any(client.is_closed for client in clients)
        assert await listed(node, room) == since


async def listed(node: Node, room: Room) -> list[int]:
    rooms = (await node.api("GetLiveRoomList", sessionId=room.session, type=1))["list"]
    return [each["liveRoomId"] for each in rooms]


async def test_who_left_while_control_was_dead_is_not_counted(node: Node) -> None:
    async with broadcast(node) as (room, clients):
        old = node.pid("control")
        os.kill(old, signal.SIGSTOP)  # it hears of no end from now on
        await clients[1].close()
        os.kill(old, signal.SIGKILL)
        await replaced(node, "control", old)
        await right(node, room, live=True, players=2)


async def test_after_controls_death_a_changed_password_still_puts_out(node: Node) -> None:
    async with broadcast(node, viewers=1) as (room, clients):
        old = node.pid("control")
        os.kill(old, signal.SIGKILL)
        await replaced(node, "control", old)
        await right(node, room, live=True, players=1)
        await node.api("ModifyMyLiveRoom", sessionId=room.session, liveRoomUserPwd="another")
        await clients[1].closed(within=REPAIRED)
        assert not clients[0].is_closed


async def test_the_worker_of_the_rtmp_nginx_killed(node: Node) -> None:
    async with broadcast(node) as (room, clients):
        os.kill(worker_of(node.pid("rtmp")), signal.SIGKILL)
        for client in clients:
            await client.closed()
        await right(node, room, live=False, players=0)
        async with node.publisher(room.push), node.player(room.play):
            await right(node, room, live=True, players=1)


async def test_the_rtmp_nginx_killed(node: Node) -> None:
    async with broadcast(node) as (room, clients):
        old = node.pid("rtmp")
        os.kill(old, signal.SIGKILL)
        for client in clients:
            await client.closed()
        await replaced(node, "rtmp", old)
        await right(node, room, live=False, players=0)
        async with node.publisher(room.push), node.player(room.play):
            await right(node, room, live=True, players=1)


async def test_both_killed_at_once(node: Node) -> None:
    async with broadcast(node) as (room, _):
        parts = {part: node.pid(part) for part in ("control", "rtmp")}
        for pid in parts.values():
            os.kill(pid, signal.SIGKILL)
        for part, pid in parts.items():
            await replaced(node, part, pid)
        await right(node, room, live=False, players=0)
        async with node.publisher(room.push), node.player(room.play):
            await right(node, room, live=True, players=1)


async def test_control_stopped_for_a_while_cuts_nobody(node: Node) -> None:
    async with broadcast(node) as (room, clients):
        pid = node.pid("control")
        os.kill(pid, signal.SIGSTOP)
        await asyncio.sleep(7)  # longer than from one update to the next
        os.kill(pid, signal.SIGCONT)
        await right(node, room, live=True, players=3)
        assert not any(client.is_closed for client in clients)


@pytest.mark.parametrize("options", [{"grace_seconds": 3, "update_seconds": 1}])
async def test_control_stopped_for_longer_than_its_grace_ends_everything(node: Node) -> None:
    async with broadcast(node, viewers=1) as (_, clients):
        pid = node.pid("control")
        os.kill(pid, signal.SIGSTOP)
        began = time.monotonic()
        for client in clients:
            await client.closed(within=REPAIRED)
        assert time.monotonic() - began > 3
        os.kill(pid, signal.SIGCONT)
        await node.ready()


async def test_control_that_dies_before_its_first_update_cuts_nobody(node: Node) -> None:
    async with broadcast(node, viewers=1) as (room, clients):
        pid = node.pid("control")
        os.kill(pid, signal.SIGSTOP)
        await asyncio.sleep(9)  # past the first update, and all the time it may take
        assert not any(client.is_closed for client in clients)
        os.kill(pid, signal.SIGCONT)
        await right(node, room, live=True, players=1)


async def test_the_rtmp_nginx_stopped_for_a_while(node: Node) -> None:
    async with broadcast(node) as (room, clients):
        worker = worker_of(node.pid("rtmp"))
        os.kill(worker, signal.SIGSTOP)
        await asyncio.sleep(5)
        os.kill(worker, signal.SIGCONT)
        await right(node, room, live=True, players=3)
        assert not any(client.is_closed for client in clients)


async def test_control_restarted_by_hand_cuts_nobody_and_refuses_nobody(node: Node) -> None:
    async with broadcast(node) as (room, clients), AsyncExitStack() as stay:
        old = node.pid("control")
        node.hang_up()
        for _ in range(20):
            await stay.enter_async_context(node.player(room.play))
        await replaced(node, "control", old)
        await right(node, room, live=True, players=23)
        assert not any(client.is_closed for client in clients)


async def test_everything_acknowledged_is_there_after_everything_was_killed(node: Node) -> None:
    room = await node.room(liveRoomName="kept")
    for part in ("control", "rtmp", "web"):
        old = node.pid(part)
        os.kill(old, signal.SIGKILL)
        await replaced(node, part, old)
    mine = await node.api("GetMyLiveRoom", sessionId=room.session)
    assert (mine["status"], mine["liveRoomName"], mine["liveRoomAnchorPwd"]) == (10000, "kept", room.anchor)
