"""kill -9 of every part, under a live stream and its viewers."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import AsyncExitStack
from typing import Any

import pytest

from tests.chaos.scenes import REPAIRED, broadcast, children_of, listed, nobody_was_cut, replaced, right, worker_of
from tests.e2e.conftest import Node

pytestmark = pytest.mark.anyio


@pytest.fixture
def options() -> dict[str, Any]:
    return {}  # as people have it


async def test_control_killed_cuts_nobody_and_knows_all_again(node: Node) -> None:
    async with broadcast(node) as (room, clients):
        since = await listed(node, room)
        old = node.pid("control")
        os.kill(old, signal.SIGKILL)
        async with node.player(room.play):  # waits for the next control, and is not refused
            await replaced(node, "control", old)
            await right(node, room, live=True, players=4)
        await right(node, room, live=True, players=3)
        assert nobody_was_cut(clients)
        assert await listed(node, room) == since


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


async def test_control_restarted_by_hand_cuts_nobody_and_refuses_nobody(node: Node) -> None:
    async with broadcast(node) as (room, clients), AsyncExitStack() as stay:
        old = node.pid("control")
        node.hang_up()
        for _ in range(20):
            await stay.enter_async_context(node.player(room.play))
        await replaced(node, "control", old)
        await right(node, room, live=True, players=23)
        assert nobody_was_cut(clients)


async def test_everything_acknowledged_is_there_after_everything_was_killed(node: Node) -> None:
    room = await node.room(liveRoomName="kept")
    for part in ("control", "rtmp", "web"):
        old = node.pid(part)
        os.kill(old, signal.SIGKILL)
        await replaced(node, part, old)
    mine = await node.api("GetMyLiveRoom", sessionId=room.session)
    assert (mine["status"], mine["liveRoomName"], mine["liveRoomAnchorPwd"]) == (10000, "kept", room.anchor)


async def test_after_all_processes_died_at_once_a_new_start_knows_all_but_the_sessions(node: Node) -> None:
    async with broadcast(node) as (room, clients):
        masters = [node.pid(part) for part in ("control", "rtmp", "web")]
        everything = [node.pid("supervisor"), *masters, *(child for pid in masters for child in children_of(pid))]
        for number in (signal.SIGSTOP, signal.SIGKILL):  # frozen first, so that none lives to see another die
            for pid in everything:
                os.kill(pid, number)
        for client in clients:
            await client.closed()
    await asyncio.to_thread(node.wait)
    node.start()
    await node.ready()
    mine = await node.api("GetMyLiveRoom", sessionId=room.session)
    assert (mine["status"], mine["liveRoomAnchorPwd"]) == (10000, room.anchor)
    await right(node, room, live=False, players=0)
    async with node.publisher(room.push), node.player(room.play):
        await right(node, room, live=True, players=1)
