"""Nodes that see the database and not each other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.chaos.scenes import nobody_was_cut
from tests.e2e.cluster import audience, cluster, everywhere, server_of_its_own
from tests.e2e.conftest import Node
from tests.e2e.workers import gets_media
from tests.rtmp.client import Refused
from tests.support.network import Network, network

pytestmark = pytest.mark.anyio
PARTED = 5  # seconds


@pytest.fixture
def joined() -> Iterator[Network]:
    with network() as made:
        yield made


@pytest.fixture
async def nodes(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, joined: Network) -> AsyncIterator[list[Node]]:
    machines = [joined.machine() for _ in range(3)]
    with server_of_its_own(tmp_path_factory, joined.host) as server:
        async with cluster(tmp_path, server, machines, update_seconds=1, rtmp_workers=1) as started:
            yield started


async def test_nodes_that_are_parted_agree_all_the_same_and_go_on_once_they_are_joined(
    nodes: list[Node], joined: Network
) -> None:
    a, b, c = nodes
    room = await a.room()
    async with a.publisher(room.push) as publisher, AsyncExitStack() as stay:
        await everywhere(nodes, room, live=True, players=0)
        players = await stay.enter_async_context(audience(nodes, room))
        await asyncio.gather(*map(gets_media, players))
        await everywhere(nodes, room, live=True, players=3)
        joined.part()
        await gets_media(players[0])  # who is where the publisher is
        with pytest.raises(Refused):  # the room is a's, which lives
            async with b.publisher(room.push):
                pass
        async with c.player(room.play):
            await everywhere(nodes, room, live=True, players=4)
        await everywhere(nodes, room, live=True, players=3)
        had = [player.media for player in players[1:]]
        await asyncio.sleep(PARTED)
        assert [player.media for player in players[1:]] == had
        assert nobody_was_cut([publisher, *players])
        joined.heal()
        async with asyncio.timeout(10):
            await asyncio.gather(*map(gets_media, players))
        assert nobody_was_cut([publisher, *players])
        await everywhere(nodes, room, live=True, players=3)
    await everywhere(nodes, room, live=False, players=0)
