"""nginx's callbacks come late, not at all, twice, and in any order."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from starlette.responses import Response

from tests.chaos.between import Between, Fault, PassOn, between, none
from tests.chaos.scenes import LEASE, broadcast, nobody_was_cut, right
from tests.e2e.conftest import Node, Room
from tests.rtmp.client import Refused

pytestmark = pytest.mark.anyio

VERDICTS, ENDS = ("publish", "play"), ("done",)
NOTHING = Response(status_code=502)  # to nginx the same as no answer


@pytest.fixture
async def proxy(node: Node) -> AsyncIterator[Between]:
    async with between(node, node.settings.internal_socket) as standing:
        yield standing


async def three_seconds_late(call: str, pass_on: PassOn) -> Response:
    await asyncio.sleep(3)
    return await pass_on()


async def ends_are_lost(call: str, pass_on: PassOn) -> Response:
    return NOTHING if call in ENDS else await pass_on()


async def verdicts_and_ends_are_lost(call: str, pass_on: PassOn) -> Response:
    """A verdict on its way back: control has let in whom nginx turns away."""
    answer = NOTHING if call in ENDS else await pass_on()
    return NOTHING if call in VERDICTS else answer


async def twice(call: str, pass_on: PassOn) -> Response:
    answer = await pass_on()
    await pass_on()
    return answer


def in_any_order() -> Fault:
    entropy = random.Random(1)

    async def shuffled(call: str, pass_on: PassOn) -> Response:
        await asyncio.sleep(entropy.random())
        return await pass_on()

    return shuffled


FAULTS = [three_seconds_late, ends_are_lost, verdicts_and_ends_are_lost, twice, in_any_order()]


async def come_and_go(node: Node, room: Room, visitors: int = 12) -> None:
    """Players who stay for a moment each; every other one leaves without a word. Some may be refused."""
    entropy = random.Random(2)

    async def visit(rudely: bool) -> None:
        await asyncio.sleep(entropy.random())
        with suppress(Refused):
            async with node.player(room.play) as player:
                await asyncio.sleep(entropy.random())
                if rudely:
                    player.abort()

    await asyncio.gather(*(visit(number % 2 == 0) for number in range(visitors)))


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
async def test_whatever_happens_to_callbacks_counts_are_right_and_a_publisher_gets_back_in(
    node: Node, proxy: Between, fault: Fault
) -> None:
    async with broadcast(node) as (room, clients):
        publisher, *players = clients
        proxy.fault = fault
        await come_and_go(node, room)
        # Of a stream that nginx was told no about, or nothing, it tells no end.
        ends = set() if fault is verdicts_and_ends_are_lost else {"done"}
        assert {"play", "update"} | ends <= set(proxy.calls)
        assert nobody_was_cut(clients)
        await right(node, room, live=True, players=3)  # though the fault goes on
        await publisher.close()
        with suppress(Refused):
            async with node.publisher(room.push):
                await right(node, room, live=True, players=3)
        proxy.fault = none
        async with node.publisher(room.push):
            await right(node, room, live=True, players=3)
        await right(node, room, live=False, players=3)
        assert nobody_was_cut(players)


async def test_without_any_update_nobody_is_cut_and_counts_are_right(node: Node, proxy: Between) -> None:
    async def updates_are_lost(call: str, pass_on: PassOn) -> Response:
        return NOTHING if call == "update" else await pass_on()

    proxy.fault = updates_are_lost
    async with broadcast(node) as (room, clients):
        await asyncio.sleep(LEASE + 1)
        async with node.player(room.play):
            await right(node, room, live=True, players=4)
        await right(node, room, live=True, players=3)
        assert nobody_was_cut(clients)
        assert proxy.calls.count("update") > 3 * len(clients)
