"""Nodes over one PostgreSQL, each with real nginx, on one machine."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Node, Room, until
from tests.e2e.stand_in import open_to_others
from tests.rtmp.client import Client
from tests.support.network import Machine
from tests.support.postgres import Postgres, served

NAMES = ("a", "b", "c")
MACHINES = [Machine(f"127.0.0.{number}") for number in (2, 3, 4)]


@contextmanager
def server_of_its_own(factory: pytest.TempPathFactory, host: str = "127.0.0.1") -> Iterator[Postgres]:
    """A PostgreSQL that a test may end; others may reach it at that address."""
    folder = factory.mktemp("server")
    open_to_others(folder)
    with served(folder / "data", host, keeps=True) as started:
        yield started


@asynccontextmanager
async def cluster(
    folder: Path, server: Postgres, machines: Sequence[Machine] = MACHINES, **more: Any
) -> AsyncIterator[list[Node]]:
    """They have the keys of the first."""
    url, nodes = server.made(), list[Node]()
    try:
        for number, (name, machine) in enumerate(zip(NAMES, machines, strict=True), 1):
            data = folder / name / "data"
            node = Node(data, machine, node=name, node_address=machine.host, database_url=url, **more)
            if nodes:
                data.mkdir(parents=True)
                shutil.copytree(nodes[0].settings.data_dir / "keys", data / "keys")
            node.accounts_from(10 * number)  # they have the same users
            nodes.append(node)
            node.start()
            if number == 1:
                await node.ready()
        await asyncio.gather(*(node.ready() for node in nodes))
        yield nodes
    finally:
        for node in nodes:
            await node.http.aclose()
            if not node.ended():
                node.stop()
            print(node.log.read_text())


async def everywhere(nodes: list[Node], room: Room, live: bool, players: int, within: float = 10.0) -> None:
    """Waits until each says so."""
    for node in nodes:

        async def told(node: Node = node) -> bool:
            return (await node.is_live(room), await node.players(room)) == (live, players)

        await until(told, within)


@asynccontextmanager
async def audience(nodes: list[Node], room: Room) -> AsyncIterator[list[Client]]:
    """One player at each."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(node.player(room.play)) for node in nodes]
