"""`python -m tests.bench.shared`: what one PostgreSQL sees of nodes, of what is live and of who watches."""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa

from tests.e2e.cluster import cluster
from tests.e2e.conftest import Node, Room, until
from tests.e2e.stand_in import open_to_others
from tests.support.postgres import Postgres, served

COUNTED = "xact_commit, tup_inserted + tup_updated + tup_deleted, pg_current_wal_insert_lsn() - '0/0'"
SHOWN_AFTER = 1.5  # seconds that a backend may keep its counts to itself


class Seen(NamedTuple):
    """Since the server began."""

    transactions: int
    rows: int
    """Written."""
    bytes: int
    """Of write-ahead log."""


def seen(server: Postgres, database: str) -> Seen:
    query = f"SELECT concat_ws(' ', {COUNTED}) FROM pg_stat_database WHERE datname = '{database}'"
    return Seen(*map(int, server.run(query).split()))


async def rates(server: Postgres, database: str, seconds: float) -> tuple[float, float, float]:
    """Of each, a second."""
    await asyncio.sleep(SHOWN_AFTER)
    before, began = seen(server, database), time.perf_counter()
    await asyncio.sleep(seconds)
    taken = time.perf_counter() - began
    now = seen(server, database)
    return (
        (now.transactions - before.transactions) / taken,
        (now.rows - before.rows) / taken,
        (now.bytes - before.bytes) / taken,
    )


def say(what: str, found: tuple[float, float, float]) -> None:
    print(f"| {what} | {found[0]:.1f} | {found[1]:.1f} | {found[2] / 1000:.1f} |", flush=True)


@asynccontextmanager
async def coming_and_going(nodes: list[Node], rooms: list[Room], rate: float) -> AsyncIterator[None]:
    """Players, so many a second, who stay for 2 s each."""
    tasks: set[asyncio.Task[None]] = set()

    async def visit(number: int) -> None:
        async with nodes[number % len(nodes)].player(rooms[number % len(rooms)].play):
            await asyncio.sleep(2)

    async def arrive() -> None:
        number = 0
        while True:
            task = asyncio.create_task(visit(number))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            number += 1
            await asyncio.sleep(1 / rate)

    arriving = asyncio.create_task(arrive())
    try:
        yield
    finally:
        arriving.cancel()
        await asyncio.wait([arriving])
        await asyncio.gather(*tasks)


async def all_live(nodes: list[Node], rooms: list[Room]) -> None:
    async def told() -> bool:
        return all([await node.is_live(room) for room in rooms for node in nodes])

    await until(told, 30)


async def measure(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(prefix="qplus-shared-") as folder:
        open_to_others(Path(folder))
        with served(Path(folder) / "server") as server:
            async with cluster(Path(folder), server) as nodes:
                await scenes(server, nodes, options)


async def scenes(server: Postgres, nodes: list[Node], options: argparse.Namespace) -> None:
    database = str(sa.make_url(nodes[0].settings.database_url).database)
    print("| | transactions/s | rows written/s | kB/s of write-ahead log |\n| --- | --- | --- | --- |")
    say("three nodes, nobody there", await rates(server, database, options.seconds))
    rooms = [await nodes[number % 3].room() for number in range(options.rooms)]
    async with AsyncExitStack() as stay:
        for number, room in enumerate(rooms):
            await stay.enter_async_context(nodes[number % 3].publisher(room.push))
        await all_live(nodes, rooms)
        say(f"{options.rooms} rooms live", await rates(server, database, options.seconds))
        for number in range(options.viewers):
            room = rooms[number % len(rooms)]
            await stay.enter_async_context(nodes[(number // len(rooms)) % 3].player(room.play))
        await asyncio.sleep(SHOWN_AFTER)
        what = f"{options.rooms} rooms live, {options.viewers} viewers who stay"
        say(what, await rates(server, database, options.seconds))
        async with coming_and_going(nodes, rooms, options.rate):
            await asyncio.sleep(3)
            say(f"and {options.rate:g} more who come and go a second", await rates(server, database, options.seconds))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.shared", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rooms", type=int, default=20)
    parser.add_argument("--viewers", type=int, default=300)
    parser.add_argument("--rate", type=float, default=20)
    asyncio.run(measure(parser.parse_args()))


if __name__ == "__main__":
    main()
