"""SIGSTOP of every part and of an encoder, for a while, under a live stream and its viewers."""

from __future__ import annotations

import asyncio
import os
import signal
import time

import pytest

from control.supervisor.watchdog import HUNG
from tests.chaos.scenes import (
    LEASE,
    REPAIRED,
    UPDATE,
    broadcast,
    children_of,
    frozen,
    listed,
    nobody_was_cut,
    replaced,
    right,
    worker_of,
)
from tests.e2e.conftest import Node
from tests.e2e.encoders import encoder

pytestmark = pytest.mark.anyio


async def test_control_frozen_for_longer_than_a_lease_cuts_nobody(node: Node) -> None:
    async with broadcast(node) as (room, clients):
        with frozen(node.pid("control")):
            await clients[1].close()
            await asyncio.sleep(LEASE + 3)
        await right(node, room, live=True, players=2)
        assert nobody_was_cut([clients[0], *clients[2:]])


@pytest.mark.parametrize("options", [{"update_seconds": 6}])
async def test_control_frozen_before_the_first_update_cuts_nobody(node: Node) -> None:
    async with broadcast(node, viewers=1) as (room, clients):
        with frozen(node.pid("control")):
            await asyncio.sleep(10)  # past the first update, and all the time it may take
            assert nobody_was_cut(clients)
        await right(node, room, live=True, players=1)


@pytest.mark.parametrize("options", [{"update_seconds": UPDATE, "grace_seconds": 3}])
async def test_control_frozen_for_longer_than_its_grace_ends_everything(node: Node) -> None:
    async with broadcast(node, viewers=1) as (room, clients):
        with frozen(node.pid("control")):
            began = time.monotonic()
            for client in clients:
                await client.closed(within=REPAIRED)
            assert time.monotonic() - began > 2  # the grace, less what its last sign of life was old
        await right(node, room, live=False, players=0)


async def test_a_control_that_hangs_for_good_is_replaced_and_nobody_cut(node: Node) -> None:
    async with broadcast(node, viewers=1) as (room, clients):
        old = node.pid("control")
        os.kill(old, signal.SIGSTOP)
        await node.logged("control hangs", within=HUNG + 10)
        await replaced(node, "control", old, within=30)  # TERM does not reach it: it is killed
        await right(node, room, live=True, players=1)
        assert nobody_was_cut(clients)


async def test_a_join_at_a_frozen_control_waits_for_it(node: Node) -> None:
    async with broadcast(node) as (room, clients), node.client() as late:
        with frozen(node.pid("control")):
            joining = asyncio.create_task(late.play(room.play))
            await asyncio.sleep(2)
            assert not joining.done()
        await joining
        await right(node, room, live=True, players=4)
        assert nobody_was_cut(clients)


async def test_the_rtmp_worker_frozen_for_longer_than_a_lease_is_the_same_broadcast_when_it_wakes(node: Node) -> None:
    async with broadcast(node) as (later, _), broadcast(node) as (room, clients):
        order = await listed(node, room)
        with frozen(worker_of(node.pid("rtmp"))):
            await asyncio.sleep(LEASE + 2)
        for each, players in ((room, 3), (later, 3)):
            await right(node, each, live=True, players=players)
        assert nobody_was_cut(clients)
        assert await listed(node, room) == order


async def test_the_rtmp_master_frozen_is_noticed_by_nobody(node: Node) -> None:
    async with broadcast(node) as (room, clients):
        with frozen(node.pid("rtmp")):
            async with node.player(room.play):
                await right(node, room, live=True, players=4)
        await right(node, room, live=True, players=3)
        assert nobody_was_cut(clients)


async def test_the_web_nginx_frozen_delays_the_api_and_cuts_nobody(node: Node) -> None:
    async with broadcast(node) as (room, clients):
        web = node.pid("web")
        with frozen(web, *children_of(web)):
            asked = asyncio.create_task(node.players(room))
            async with node.player(room.play):
                await clients[1].close()
                await asyncio.sleep(LEASE)
            assert not asked.done()
        assert await asked in (2, 3)
        await right(node, room, live=True, players=2)
        assert nobody_was_cut([clients[0], *clients[2:]])


async def test_a_control_that_dies_under_a_frozen_supervisor_is_back_when_that_wakes(node: Node) -> None:
    async with broadcast(node) as (room, clients):
        control = node.pid("control")
        with frozen(node.pid("supervisor")):
            os.kill(control, signal.SIGKILL)
            await asyncio.sleep(3 * UPDATE)
            assert nobody_was_cut(clients)
        await replaced(node, "control", control)
        await right(node, room, live=True, players=3)
        assert nobody_was_cut(clients)


async def test_an_encoder_frozen_for_a_while_stays_on_air(node: Node) -> None:
    room = await node.room()
    async with encoder(f"{node.rtmp}/{room.push}") as process, node.player(room.play) as player:
        await right(node, room, live=True, players=1)
        with frozen(process.pid):
            await asyncio.sleep(5)
            assert await node.is_live(room)
        seen = player.media
        await player.until(lambda: player.media > seen + 10)
        await right(node, room, live=True, players=1)


async def test_an_encoder_frozen_for_good_is_off_air_and_its_players_get_the_next(node: Node) -> None:
    room = await node.room()
    async with encoder(f"{node.rtmp}/{room.push}") as process, node.player(room.play) as player:
        await right(node, room, live=True, players=1)
        with frozen(process.pid):
            await node.off_air(room, within=15 + REPAIRED)
            async with node.publisher(room.push):
                seen = player.media
                await player.until(lambda: player.media > seen + 10)
                await right(node, room, live=True, players=1)
            await right(node, room, live=False, players=1)
