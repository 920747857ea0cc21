"""The database server goes, and comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.scenes import UPDATE, broadcast, nobody_was_cut, right
from tests.e2e.cluster import server_of_its_own
from tests.e2e.conftest import Node, Room, until
from tests.support.postgres import Postgres

pytestmark = pytest.mark.anyio
SERVER_ERROR = 10001
WAYS = {"ended": (Postgres.stop, Postgres.start, 2), "paused": (Postgres.pause, Postgres.resume, 8)}
"""How it goes and comes back; and seconds until writes are refused at the latest."""


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with server_of_its_own(tmp_path_factory) as started:
        yield started


@pytest.fixture
def options(server: Postgres) -> dict[str, Any]:
    return {"database_url": server.made(), "update_seconds": UPDATE}


async def write(node: Node, room: Room) -> int:
    """The status of an API that has to write."""
    status: int = (await node.api("FollowLiveRoom", sessionId=room.session, liveRoomId=room.id, isFollow=1))["status"]
    return status


@pytest.mark.parametrize("way", WAYS)
async def test_without_its_database_a_node_goes_on(node: Node, server: Postgres, way: str) -> None:
    go, come, quickly = WAYS[way]
    async with broadcast(node) as (room, clients):
        await right(node, room, live=True, players=len(clients) - 1)
        go(server)
        async with asyncio.timeout(quickly):
            told = await asyncio.gather(*(write(node, room) for _ in range(5)))
        assert told == [SERVER_ERROR] * 5
        async with asyncio.timeout(1):
            assert await write(node, room) == SERVER_ERROR
        assert await node.is_live(room)
        async with node.player(room.play) as late:
            await late.until(lambda: late.media > 0)
            await node.counted(room, len(clients))
            await asyncio.sleep(3 * UPDATE)  # every session is asked about meanwhile
            assert nobody_was_cut([*clients, late])
        come(server)
        await until(lambda: succeeds(node, room))
        assert nobody_was_cut(clients)
        await right(node, room, live=True, players=len(clients) - 1)
    await right(node, room, live=False, players=0)
    told = (await node.api("GetMyLiveSessions", sessionId=room.session))["list"]
    assert len(told) == 1


async def test_one_node_at_a_time_works_with_a_database(node: Node, tmp_path: Path) -> None:
    other = Node(tmp_path / "other", database_url=node.settings.database_url)
    other.start()
    try:
        await other.logged("another control works with it", within=30)
        assert await node.user()  # and no room: its passwords are sealed with a key of this node's
        node.stop()
        await other.ready()
    finally:
        await other.http.aclose()
        other.stop()


async def succeeds(node: Node, room: Room) -> bool:
    """What is written and what is read: over connections of their own."""
    mine = await node.api("GetMyLiveSessions", sessionId=room.session)
    return (await write(node, room), mine["status"]) == (10000, 10000)


async def test_a_node_that_starts_before_its_database_waits_for_it(tmp_path: Path, server: Postgres) -> None:
    node = Node(tmp_path / "node", database_url=server.made())
    server.stop()
    node.start()
    try:
        await node.logged("error: postgresql://", within=30)
        assert "Traceback" not in node.log.read_text()
        server.start()
        await node.ready()
        assert await node.user()
    finally:
        await node.http.aclose()
        node.stop()
        print(node.log.read_text())
