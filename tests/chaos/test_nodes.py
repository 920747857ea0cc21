"""Nodes end, or are cut off from what they share, and the service goes on."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import pytest

from control.live.nodes import LIFETIME
from tests.chaos.scenes import children_of, nobody_was_cut, replaced
from tests.chaos.test_postgresql import WAYS
from tests.e2e.cluster import audience, cluster, everywhere, server_of_its_own
from tests.e2e.conftest import Node, Room, until
from tests.e2e.workers import gets_media
from tests.rtmp.client import Client, Refused
from tests.rtmp.connection import Closed
from tests.support.postgres import Postgres

pytestmark = pytest.mark.anyio


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with server_of_its_own(tmp_path_factory) as started:
        yield started


@pytest.fixture
async def nodes(tmp_path: Path, server: Postgres) -> AsyncIterator[list[Node]]:
    async with cluster(tmp_path, server, update_seconds=1, rtmp_workers=1) as started:
        yield started


def everyone(pid: int) -> list[int]:
    """A process and all that it has started."""
    return [pid, *(each for child in children_of(pid) for each in everyone(child))]


def kill(node: Node) -> None:
    """As when its machine loses its power."""
    for pid in everyone(node.pid("supervisor")):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    node.wait()


@asynccontextmanager
async def encoder_that_tries_again(node: Node, room: Room, within: float) -> AsyncIterator[Client]:
    """As encoders do: once a second until it is let in."""
    async with asyncio.timeout(within) as limit:
        while True:
            with suppress(Refused):
                async with node.publisher(room.push) as client:
                    limit.reschedule(None)
                    yield client
                    return
            await asyncio.sleep(1)


@asynccontextmanager
async def player_that_tries_again(node: Node, room: Room) -> AsyncIterator[Client]:
    """As players do: a room that has moved is looked for where it was until its new node is known."""
    async with asyncio.timeout(10) as limit:
        while True:
            async with node.player(room.play) as client:
                with suppress(Closed):
                    await gets_media(client)
                    limit.reschedule(None)
                    yield client
                    return


async def broadcasts(node: Node, room: Room) -> int:
    return len((await node.api("GetMyLiveSessions", sessionId=room.session))["list"])


async def test_when_a_node_ends_its_publisher_goes_on_at_another_and_its_viewers_are_not_counted(
    nodes: list[Node],
) -> None:
    a, b, c = nodes
    room = await a.room()
    async with AsyncExitStack() as stack:
        async with a.publisher(room.push):
            await everywhere(nodes, room, live=True, players=0)
            at_b, *_ = [await stack.enter_async_context(node.player(room.play)) for node in (b, c, a)]
            await everywhere(nodes, room, live=True, players=3)
            kill(a)
        async with encoder_that_tries_again(b, room, within=8):  # long before the others know that it has ended
            await at_b.closed()
            async with b.player(room.play) as back:
                await gets_media(back)
                await everywhere([b, c], room, live=True, players=1, within=15)
                async with c.player(room.play) as there:
                    await gets_media(there)
                    await everywhere([b, c], room, live=True, players=2)
            assert await broadcasts(c, room) == 1  # it went on


@pytest.mark.parametrize("way", WAYS)
async def test_a_database_that_is_gone_ends_no_stream_and_lets_no_second_publisher_in(
    nodes: list[Node], server: Postgres, way: str
) -> None:
    go, come, _ = WAYS[way]
    a, b, c = nodes
    room = await a.room()
    other = await b.room()
    async with a.publisher(room.push) as publisher:
        await everywhere(nodes, room, live=True, players=0)
        async with audience(nodes, room) as players:
            await everywhere(nodes, room, live=True, players=3)
            go(server)
            for node in (b, c):
                for foreign in (room, other):
                    with pytest.raises(Refused):
                        async with node.publisher(foreign.push):
                            pass
            async with b.player(room.play) as late:  # who is known is let in
                await gets_media(late)
                await asyncio.sleep(LIFETIME + 2)  # of updates every second; nobody can say that they live
                assert nobody_was_cut([publisher, *players, late])
            come(server)
            await asyncio.gather(*map(gets_media, players))
            await everywhere(nodes, room, live=True, players=3, within=15)
            assert nobody_was_cut([publisher, *players])
        async with encoder_that_tries_again(c, other, within=10):
            await everywhere(nodes, other, live=True, players=0)
    assert await broadcasts(b, room) == 1


async def test_a_node_that_was_cut_off_gives_up_a_room_that_has_moved(nodes: list[Node]) -> None:
    a, b, _ = nodes
    room = await a.room()
    async with a.publisher(room.push) as cut_off:
        await everywhere(nodes, room, live=True, players=0)
        os.kill(a.pid("control"), signal.SIGSTOP)  # nginx goes on; nobody speaks for it
        async with encoder_that_tries_again(b, room, within=12):
            os.kill(a.pid("control"), signal.SIGCONT)
            await cut_off.closed(within=10)
            async with AsyncExitStack() as stack:
                for node in nodes:
                    await stack.enter_async_context(player_that_tries_again(node, room))
                await everywhere(nodes, room, live=True, players=3)
    await everywhere(nodes, room, live=False, players=0)
    assert await broadcasts(a, room) == 1


async def test_controls_are_replaced_one_after_the_other_and_nobody_notices(nodes: list[Node]) -> None:
    a, _, c = nodes
    room = await a.room()
    async with a.publisher(room.push) as publisher:
        await everywhere(nodes, room, live=True, players=0)
        async with audience(nodes, room) as players:
            await everywhere(nodes, room, live=True, players=3)
            ended = asyncio.Event()
            joining = asyncio.create_task(joins(nodes, room, ended))
            for node in nodes:
                old = node.pid("control")
                node.hang_up()
                await replaced(node, "control", old, within=20)
            ended.set()
            assert await joining >= len(nodes)
            await asyncio.gather(*map(gets_media, players))
            assert nobody_was_cut([publisher, *players])
            await everywhere(nodes, room, live=True, players=3)
    assert await broadcasts(c, room) == 1


async def joins(nodes: list[Node], room: Room, ended: asyncio.Event) -> int:
    """How many players were let in, one after the other at each node; none is refused."""
    joined = 0
    while not ended.is_set():
        async with nodes[joined % len(nodes)].player(room.play) as player:
            await until(lambda: has_media(player), 10)
        joined += 1
    return joined


async def has_media(player: Client) -> bool:
    return player.media > 0
