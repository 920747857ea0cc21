"""/stat answers garbage, or slowly, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from starlette.responses import Response

from tests.chaos.between import Between, Fault, PassOn, between, none
from tests.chaos.scenes import LEASE, REPAIRED, broadcast, nobody_was_cut, right
from tests.e2e.conftest import Node

pytestmark = pytest.mark.anyio


@pytest.fixture
async def proxy(node: Node) -> AsyncIterator[Between]:
    """Before the /stat and /control of the rtmp nginx."""
    async with between(node, node.settings.workers[0].socket) as standing:
        yield standing


async def garbage(call: str, pass_on: PassOn) -> Response:
    whole = await pass_on()
    return Response(b"<rtmp><pid>7</pid>\xff\x00" + bytes(whole.body)[:100], headers=dict(whole.headers))


async def empty(call: str, pass_on: PassOn) -> Response:
    """Well-formed, and nothing in it, not even whose it is."""
    return Response("<rtmp></rtmp>")


async def an_error(call: str, pass_on: PassOn) -> Response:
    return Response(status_code=500)


async def ten_seconds_late(call: str, pass_on: PassOn) -> Response:
    await asyncio.sleep(10)
    return await pass_on()


async def never(call: str, pass_on: PassOn) -> Response:
    answer: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
    return await answer


FAULTS = [garbage, empty, an_error, ten_seconds_late, never]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
async def test_whatever_stat_answers_nobody_is_cut_and_counts_are_right(
    node: Node, proxy: Between, fault: Fault
) -> None:
    async with broadcast(node) as (room, clients):
        asked = proxy.calls.count("stat")
        proxy.fault = fault
        async with node.player(room.play):
            await asyncio.sleep(LEASE + 1)
            await node.counted(room, 4, REPAIRED)
        await node.counted(room, 3, REPAIRED)  # updates and ends are still told
        assert await node.is_live(room)
        assert proxy.calls.count("stat") > asked
        proxy.fault = none
        await right(node, room, live=True, players=3)
        assert nobody_was_cut(clients)


async def test_a_stat_that_refuses_connections_cuts_nobody(node: Node) -> None:
    async with broadcast(node) as (room, clients):
        async with between(node, node.settings.workers[0].socket):
            node.settings.workers[0].socket.unlink()
            await node.logged("nginx does not answer")
            await asyncio.sleep(LEASE + 1)
            await node.counted(room, 3, REPAIRED)
            assert nobody_was_cut(clients)
        await right(node, room, live=True, players=3)
        assert nobody_was_cut(clients)
