from __future__ import annotations

import asyncio
from unittest.mock import patch

import pytest
import sqlalchemy as sa

from control.clock import SystemClock
from control.storage import log as module
from control.storage.database import Store, opened
from control.storage.log import Entry, Log
from control.storage.tables import log as table
from tests.support.world import HandClock

pytestmark = pytest.mark.anyio
WHAT = "tried"


class Reader:
    def __init__(self, store: Store, name: str = "reader") -> None:
        self.clock = HandClock()
        self.log = Log(store, name, self.clock)
        self.log.on(WHAT, self._hear)
        self.log.when_behind(self._behind)
        self.heard: list[int] = []
        """Rooms of entries; -1: it fell behind."""

    def _hear(self, entry: Entry) -> None:
        self.heard.append(entry.room_id)

    async def _behind(self) -> None:
        self.heard.append(-1)

    async def follow(self) -> list[int]:
        await self.log.follow()
        heard, self.heard = self.heard, []
        return heard


async def write(store: Store, *rooms: int, clock: HandClock | None = None, node: str = "writer") -> None:
    await store.write(Log(store, node, clock or HandClock()).entries((WHAT, room, 0, "") for room in rooms))


async def test_each_reads_on_from_where_it_began_and_each_entry_once(store: Store) -> None:
    early, late = Reader(store, "early"), Reader(store, "late")
    await early.log.begin()
    await write(store, 1, 2)
    await late.log.begin()
    assert await early.follow() == [1, 2]
    await write(store, 3)
    assert await early.follow() == [3] == await late.follow()
    assert await early.follow() == [] == await late.follow()


async def test_more_than_is_read_at_a_time_is_read_all_the_same(store: Store) -> None:
    reader = Reader(store)
    await reader.log.begin()
    with patch.object(module, "AT_A_TIME", 2):
        await write(store, 1, 2, 3, 4, 5)
        assert await reader.follow() == [1, 2, 3, 4, 5]


async def test_ones_own_are_not_told(store: Store) -> None:
    reader = Reader(store)
    await reader.log.begin()
    await write(store, 1, node="reader")
    assert await reader.follow() == []


async def test_it_is_bounded_in_time_and_in_number_and_who_missed_nothing_is_not_behind(store: Store) -> None:
    behind, reader, clock = Reader(store, "behind"), Reader(store), HandClock()
    for each in (behind, reader):
        await each.log.begin()
    await write(store, 1, 2, clock=clock)
    assert await reader.follow() == [1, 2]
    clock.advance(module.KEPT + 1)
    writer = Log(store, "writer", clock)
    await writer.trim()
    assert await reader.follow() == []  # the last that it has read is there still
    assert await behind.follow() == [-1]
    await write(store, 3, clock=clock)
    assert await reader.follow() == [3] == await behind.follow()
    with patch.object(module, "MOST", 2):
        await write(store, 4, 5, 6, clock=clock)
        await writer.trim()
    assert [row["room_id"] for row in await store.fetch_all(sa.select(table).order_by(table.c.id))] == [5, 6]
    assert await reader.follow() == [-1]


@pytest.mark.anyio
async def test_who_had_lost_the_database_begins_anew(store: Store) -> None:
    reader = Reader(store)
    await reader.log.begin()
    await write(store, 1)
    store.openings += 1
    assert await reader.follow() == [-1]
    await write(store, 2)
    assert await reader.follow() == [2]


async def test_commits_that_overlap_are_seen_in_the_order_of_their_numbers(shared_database: str) -> None:
    """A number is taken before the commit. Were the second to commit first, a reader would pass over the first."""
    async with opened(shared_database, SystemClock(), "a") as a, opened(shared_database, SystemClock(), "b") as b:
        reader = Reader(b)
        await reader.log.begin()
        entries = Log(a, "writer", HandClock()).entries
        for number in range(1, 20, 2):
            async with a.writing() as first:
                await first.execute(entries([(WHAT, number, 0, "")]))
                second = asyncio.create_task(write(b, number + 1))
                await asyncio.sleep(0.01)  # what it must not do is commit
                assert await reader.follow() == []
            await second
            assert await reader.follow() == [number, number + 1]
