from __future__ import annotations

import pytest
import sqlalchemy as sa

from control.live.samples import EVERY, KEPT, LAST, LONGEST, MINUTE, READ_AT_ONCE, Sample, Samples
from control.live.stream_info import StreamInfo
from control.storage.database import Store
from control.storage.tables import broadcast_samples
from tests.support.rows import add_room
from tests.support.world import HandClock
from tests.unit.test_on_air_writer import Node

pytestmark = pytest.mark.anyio

ONE_MINUTE = round(MINUTE / EVERY)


class Studio:
    """A room that is on air, and what is noted of it."""

    def __init__(self, store: Store, room: int) -> None:
        self.store, self.room, self.players = store, room, 3
        self.node = Node(store, "ams-1", HandClock())
        self.samples = self._samples()

    def _samples(self) -> Samples:
        return Samples(
            store=self.store,
            presence=self.node.presence,
            broadcasts=self.node.broadcasts,
            players=lambda room: self.players,
            clock=self.node.clock,
        )

    def restart(self) -> None:
        self.samples = self._samples()

    async def goes_on(self, steps: int = 1, bits: int = 2_000_000) -> None:
        [session] = self.node.presence.publishers()
        for _ in range(steps):
            self.node.clock.advance(EVERY)
            self.node.presence.hear(session.key, 500, True, StreamInfo(bits, 1280, 720, 29.97, "H264", "AAC"))
            await self.node.writer.write()
            await self.samples.step()

    async def written(self) -> int:
        return len(await self.store.fetch_all(sa.select(broadcast_samples)))


@pytest.fixture
async def studio(store: Store) -> Studio:
    made = Studio(store, await add_room(store, 1))
    made.node.push(made.room, 1)
    await made.node.writer.write()
    return made


async def test_of_the_last_minutes_there_is_one_every_few_seconds(studio: Studio) -> None:
    await studio.goes_on(2)
    studio.players = 4
    await studio.goes_on()
    now = int(studio.node.clock.now())
    assert await studio.samples.last(studio.room) == [
        Sample(now - 20, 3, 2_000_000, 29.97),
        Sample(now - 10, 3, 2_000_000, 29.97),
        Sample(now, 4, 2_000_000, 29.97),
    ]
    await studio.goes_on(2 * LAST, bits=1_000_000)
    last = await studio.samples.last(studio.room)
    assert len(last) == LAST and {each.bits_per_second for each in last} == {1_000_000}


async def test_of_a_broadcast_there_is_one_a_minute(studio: Studio) -> None:
    began = int(studio.node.clock.now())
    await studio.goes_on(10 * ONE_MINUTE)
    samples = await studio.samples.of_broadcast(studio.room, began)
    assert [each.at - began for each in samples] == [round(minute * MINUTE) for minute in range(1, 11)]
    assert await studio.samples.of_broadcast(studio.room, began - 1) == []
    assert await studio.samples.of_broadcast(studio.room + 1, began) == []


@pytest.mark.parametrize("minutes", [READ_AT_ONCE - 1, READ_AT_ONCE, READ_AT_ONCE + 1, LONGEST + 1])
async def test_of_a_long_broadcast_the_last_are_told_in_their_order(studio: Studio, minutes: int) -> None:
    began = int(studio.node.clock.now())
    await studio.goes_on(ONE_MINUTE)
    [row] = await studio.store.fetch_all(sa.select(broadcast_samples))
    more = [{**dict(row), "at": began + 60 * minute} for minute in range(2, minutes + 1)]
    await studio.store.write(broadcast_samples.insert().values(more))
    found = [each.at for each in await studio.samples.of_broadcast(studio.room, began)]
    assert found == [began + 60 * minute for minute in range(1, minutes + 1)][-LONGEST:]


async def test_a_new_control_goes_on_with_what_was_written(studio: Studio) -> None:
    began = int(studio.node.clock.now())
    await studio.goes_on(3 * ONE_MINUTE)
    studio.restart()
    await studio.goes_on(2)
    assert [each.at - began for each in await studio.samples.last(studio.room)] == [60, 120, 180, 190, 200]


async def test_who_is_not_measured_yet_has_none(store: Store) -> None:
    made = Studio(store, await add_room(store, 1))
    made.node.push(made.room, 1)
    await made.samples.step()
    assert await made.samples.last(made.room) == []


async def test_off_air_nothing_is_added_and_after_a_while_nothing_is_kept(studio: Studio) -> None:
    await studio.goes_on(3)
    studio.node.end(1)
    await studio.samples.step()
    assert len(await studio.samples.last(studio.room)) == 3
    studio.node.clock.advance(LAST * EVERY)
    await studio.samples.step()
    assert await studio.samples.last(studio.room) == [] and not studio.samples._last


async def test_a_clock_that_is_set_back_stops_nothing(studio: Studio) -> None:
    await studio.goes_on(ONE_MINUTE)
    studio.node.clock.jump(-3600)
    await studio.goes_on(ONE_MINUTE)
    assert await studio.written() >= 2


async def test_what_is_old_is_deleted(studio: Studio) -> None:
    await studio.goes_on(ONE_MINUTE)
    studio.node.clock.advance(KEPT - 60)
    await studio.samples.purge()
    assert await studio.written() == 1
    studio.node.clock.advance(120)
    await studio.samples.purge()
    assert await studio.written() == 0
