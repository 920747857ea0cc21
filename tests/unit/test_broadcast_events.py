"""`room.live` and `room.ended`: one pair for each broadcast, whatever restarts meanwhile."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from control.live.broadcast_events import SILENT, BroadcastEvents
from control.live.broadcasts import LATE
from control.settings import Settings
from control.storage.database import Store
from control.storage.log import Log
from control.storage.room_events import EventKind, RoomEvents
from control.storage.tables import broadcasts
from tests.support import world
from tests.support.rows import add_room
from tests.support.stage import Stage, staged
from tests.support.world import Box, HandClock

pytestmark = pytest.mark.anyio

LIVE, ENDED = EventKind.LIVE.value, EventKind.ENDED.value
GAP = 10 + LATE + 1


async def told(stage: Stage) -> list[dict[str, Any]]:
    return [*(await stage.own("GetEvents"))["list"]]


async def kinds(stage: Stage) -> list[str]:
    return [each["type"] for each in await told(stage)]


async def later(stage: Stage, seconds: float) -> None:
    stage.box.clock.advance(seconds)
    await stage.box.settle()


async def live(stage: Stage, client: int = 1) -> None:
    assert await stage.publish(client) == 204
    await stage.box.settle()


async def test_a_broadcast_begins_and_ends(stage: Stage) -> None:
    began = int(stage.box.clock.now())
    await live(stage)
    await later(stage, 2)
    await stage.leave(1)
    await later(stage, GAP)
    first, last = await told(stage)
    assert (first["type"], first["data"]) == (LIVE, {"startTime": began, "encoder": "test"})
    assert (last["type"], last["data"]) == (
        ENDED,
        {
            "startTime": began,
            "encoder": "test",
            "endTime": began + 2,
            "duration": 2,
            "endReason": "left",
            "peakCount": 0,
            "totalCount": 0,
            "watchSeconds": 0,
        },
    )


async def test_a_gap_is_no_end(stage: Stage) -> None:
    await live(stage)
    await stage.leave(1)
    await later(stage, 8)
    await live(stage, client=2)
    await later(stage, GAP)
    assert await kinds(stage) == [LIVE]


async def test_another_broadcast_is_told_after_the_end_of_the_one_before(stage: Stage) -> None:
    await live(stage)
    await stage.leave(1)
    await stage.box.running.live.on_air_writer.write()
    stage.box.clock.advance(11)  # longer than a gap, and its end has not been told yet
    await live(stage, client=2)
    assert await kinds(stage) == [LIVE, ENDED, LIVE]


async def test_a_restart_tells_nothing_twice_and_misses_no_end(settings: Settings) -> None:
    clock = HandClock()
    async with world.box(settings, clock=clock) as before:
        stage = await staged(before)
        await live(stage)
        nginx = before.nginx
    async with world.box(settings, nginx=nginx, clock=clock) as after:
        stage.box = after
        await later(stage, 1)
        assert await kinds(stage) == [LIVE]
        await stage.leave(1)
    clock.advance(60)
    async with world.box(settings, nginx=nginx, clock=clock) as last:
        stage.box = last
        await later(stage, GAP)
        assert await kinds(stage) == [LIVE, ENDED]


async def test_nothing_is_written_where_nothing_is_new(stage: Stage, box: Box) -> None:
    await live(stage)
    for _ in range(3):
        await later(stage, 5)
    assert await kinds(stage) == [LIVE]
    broadcast = box.running.live.broadcasts.of_room(stage.id)
    assert broadcast is not None and broadcast.told == EventKind.LIVE


async def test_who_was_cut_off_compares_with_what_is_written(stage: Stage, box: Box) -> None:
    """Another node has said that it is over."""
    await live(stage)
    await box.running.store.write(broadcasts.update().values(told=ENDED))
    box.running.live.on_air_writer.tell_again()
    await box.settle()
    assert await kinds(stage) == [LIVE, LIVE]


async def test_the_end_of_what_a_lost_node_had_is_told_by_another(store: Store) -> None:
    clock, room = HandClock(), await add_room(store, 1)
    log = Log(store, "b", clock)
    events = RoomEvents(store=store, clock=clock, log=log, shared=True, most=10)
    lost = BroadcastEvents(store, events, clock)
    began = clock.now()
    row: dict[str, Any] = {"room_id": room, "started_at": began, "publisher": "a.s.1", "seen_at": began + 30}
    row |= {"encoder": "obs", "peak_viewers": 3, "total_viewers": 5, "watch_seconds": 60.4, "closed": False}
    await store.write(sa.insert(broadcasts).values(row | {"told": LIVE}))
    clock.advance(30 + SILENT - 1)
    await lost.end_lost()
    assert await events.last(room) == 0
    clock.advance(2)
    for _ in range(2):
        await lost.end_lost()
    [event] = await events.after(room, 0, 9)
    assert (event.kind, event.details["endReason"], event.details["duration"]) == (ENDED, "lost", 30)
