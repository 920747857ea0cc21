from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from prometheus_client import REGISTRY

from control.nginx_rtmp import reconcile
from control.nginx_rtmp.plan import JOINING
from control.settings import Settings
from tests.support import world
from tests.support.stage import Stage
from tests.support.world import Box, FakeNginx, HandClock

pytestmark = pytest.mark.anyio
LEASE = 12.0  # seconds: twice the update period and two


async def test_a_lost_end_is_found(stage: Stage) -> None:
    await stage.publish(1)
    await stage.play(2)
    assert await stage.status() == (True, 1)
    stage.box.clock.advance(JOINING + 0.1)
    stage.box.nginx.clients.clear()
    assert await stage.status() == (False, 0)


async def test_one_that_is_joining_is_waited_for(stage: Stage) -> None:
    await stage.publish(1)
    await stage.box.callback("play", 2, str(stage.id), f"pwd={stage.user}")
    assert await stage.status() == (True, 1)
    stage.box.clock.advance(JOINING + 0.1)
    assert await stage.status() == (True, 0)


async def test_one_that_left_lately_is_not_taken_in_again(stage: Stage) -> None:
    await stage.play(1)
    await stage.box.callback("done", 1, str(stage.id))  # /stat still shows it
    assert await stage.status() == (False, 0)
    stage.box.clock.advance(JOINING + 0.1)
    assert await stage.status() == (False, 1)


async def test_a_lost_beginning_is_found(stage: Stage) -> None:
    stage.box.nginx.put(1, str(stage.id), publishing=True, timestamp=500)
    stage.box.nginx.put(2, str(stage.id))
    assert await stage.status() == (True, 1)


async def test_a_crashed_worker_takes_all_along(stage: Stage) -> None:
    await stage.publish(1)
    await stage.play(2)
    stage.box.clock.advance(5)
    stage.box.nginx.pid += 1
    stage.box.nginx.clients.clear()
    assert await stage.status() == (False, 0)
    assert [await stage.publish(3), await stage.play(4)] == [204, 204]
    assert await stage.status() == (True, 1)


async def test_an_nginx_that_restarts_numbers_from_one_again(stage: Stage) -> None:
    await stage.publish(1)
    await stage.play(2)
    stage.box.clock.advance(5)
    stage.box.nginx.start, stage.box.nginx.clients = "bbbb0002", {}
    assert await stage.play(1) == 204
    assert await stage.status() == (False, 1)
    assert await stage.publish(2) == 204
    assert await stage.status() == (True, 1)


async def test_whoever_plays_what_is_no_room_is_dropped(stage: Stage) -> None:
    stage.box.nginx.put(1, "squat", publishing=True)
    stage.box.nginx.put(2, "9999999")
    stage.box.nginx.put(3, "１０００００１")
    stage.box.nginx.put(4, str(stage.id))
    assert await stage.status() == (False, 1)
    assert sorted(stage.box.nginx.dropped) == [1, 2, 3]


async def test_whoever_cannot_be_dropped_is_tried_again(stage: Stage) -> None:
    stage.box.nginx.put(1, "squat")
    stage.box.nginx.deaf = True
    await stage.box.settle()
    assert stage.box.nginx.dropped == []
    stage.box.nginx.deaf = False
    await stage.box.settle()
    assert stage.box.nginx.dropped == [1]


async def test_a_publisher_without_media_is_dropped(stage: Stage) -> None:
    await stage.publish(1, timestamp=0)
    stage.box.clock.advance(10)
    await stage.box.settle()
    assert stage.box.nginx.dropped == []
    stage.box.clock.advance(0.1)
    assert await stage.status() == (False, 0)
    assert stage.box.nginx.dropped == [1]


async def test_relays_are_neither_counted_nor_dropped(stage: Stage) -> None:
    await stage.publish(1)
    stage.box.nginx.put(2, str(stage.id), address="127.0.0.1:1936/hls")
    stage.box.nginx.put(3, "elsewhere", address="127.0.0.1:1936/hls")
    assert await stage.status() == (True, 0)
    assert stage.box.nginx.dropped == []


async def test_what_nginx_vouches_for_stays_for_ever(stage: Stage) -> None:
    await stage.publish(1)
    await stage.play(2)
    for _ in range(10):
        stage.box.clock.advance(LEASE)
        assert await stage.status() == (True, 1)


@pytest.mark.parametrize("answer", ["", "garbage", "<rtmp>"])
async def test_without_nginx_leases_run_out_and_come_back(stage: Stage, answer: str) -> None:
    await stage.publish(1)
    await stage.play(2)
    assert await stage.status() == (True, 1)
    stage.box.nginx.garbage = answer
    stage.box.clock.advance(LEASE)
    assert await stage.status() == (True, 1)
    stage.box.clock.advance(0.1)
    assert await stage.status() == (False, 0)
    stage.box.nginx.garbage = None
    stage.box.clock.advance(JOINING + 0.1)
    assert await stage.status() == (True, 1)


async def test_without_nginx_updates_keep_their_sessions(stage: Stage) -> None:
    await stage.publish(1)
    await stage.play(2)
    await stage.box.settle()
    stage.box.nginx.broken = True
    for _ in range(6):
        stage.box.clock.advance(5)
        assert await stage.update(2, "play") == 204
        await stage.box.settle()
    assert await stage.said() == (False, 1)


async def test_a_repair_tells_whether_nginx_was_heard(box: Box) -> None:
    box.nginx.broken = True
    assert not await box.running.live.reconcilers.each[0].run()
    box.nginx.broken = False
    assert await box.running.live.reconcilers.each[0].run()


@pytest.mark.parametrize(("kind", "call"), [("ended", "play"), ("added", None)])
async def test_repairs_are_counted(stage: Stage, kind: str, call: str | None) -> None:
    def repaired() -> float:
        return REGISTRY.get_sample_value("qplus_repairs_total", {"kind": kind}) or 0.0

    before = repaired()
    if call:
        await stage.box.callback(call, 1, str(stage.id), f"pwd={stage.user}")
        stage.box.clock.advance(JOINING + 0.1)
    else:
        stage.box.nginx.put(1, str(stage.id))
    await stage.box.settle()
    assert repaired() == before + 1


@pytest.mark.parametrize("nginx_answers", [True, False])
async def test_others_have_their_turn_while_thousands_are_ended(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, nginx_answers: bool
) -> None:
    monkeypatch.setattr(reconcile, "REPAIRED", 2)
    for client in range(1, 12):
        await stage.play(client)
    stage.box.clock.advance(LEASE + 1)
    stage.box.nginx.clients, stage.box.nginx.broken = {}, not nginx_answers
    presence, left = stage.box.running.live.presence, [11]
    repair = asyncio.create_task(stage.box.running.live.reconcilers.each[0].run())
    while not repair.done():
        await asyncio.sleep(0)
        left.append(len(presence.all()))
    assert left[-1] == 0 and max(before - after for before, after in pairwise(left)) <= 2


async def due(box: Box, seconds: float) -> bool:
    """Whether another look is due once so much time has passed."""
    turn = asyncio.create_task(box.running.live.reconcilers.each[0].next_turn())
    for _ in range(5):
        await asyncio.sleep(0)
    box.clock.advance(seconds)
    for _ in range(5):
        await asyncio.sleep(0)
    turn.cancel()
    await asyncio.wait([turn])
    return not turn.cancelled()


async def test_an_update_that_is_refused_hurries_nobody(box: Box) -> None:
    await box.callback("update", 1, "1000001", "pwd=x")
    assert not await due(box, reconcile.SOON)


async def test_a_publisher_that_joins_is_looked_at_soon(stage: Stage) -> None:
    await stage.publish(1, timestamp=0)
    assert await due(stage.box, reconcile.SOON)


async def test_without_haste_it_looks_now_and_then(box: Box) -> None:
    assert not await due(box, reconcile.EVERY / 2)
    assert await due(box, reconcile.EVERY)


async def test_a_control_that_cannot_hear_nginx_is_ready_after_a_while(settings: Settings) -> None:
    nginx, clock = FakeNginx(), HandClock()
    nginx.broken = True

    async def tick() -> None:
        while True:
            clock.advance(reconcile.SOON)
            await asyncio.sleep(0)

    ticking = asyncio.create_task(tick())
    async with world.box(settings, nginx, clock) as box:
        assert (await box.http.get("/readyz")).status_code == 200
    ticking.cancel()
    await asyncio.wait([ticking])


async def test_others_have_their_turn_while_thousands_are_read(stage: Stage) -> None:
    for client in range(2000):
        stage.box.nginx.put(client, str(stage.id))
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    await stage.box.running.live.reconcilers.each[0].run()
    task.cancel()
    megabytes = len(stage.box.nginx._xml()) / 2**20
    assert turns > 100 * megabytes  # at least once for every ten kilobytes of it
    assert len(stage.box.running.live.presence.all()) == 2000


@pytest.mark.parametrize(("clients", "wait"), [(10, reconcile.SOON), (2000, 0.6), (100_000, reconcile.EVERY)])
async def test_a_look_in_a_hurry_waits_the_longer_the_more_there_are(stage: Stage, clients: int, wait: float) -> None:
    reconciler, clock = stage.box.running.live.reconcilers.each[0], stage.box.clock
    reconciler._there = clients
    reconciler.nginx.looks.soon.set()
    before = clock.ticks()
    await clock.steps(0.1, reconciler.next_turn())
    assert wait <= clock.ticks() - before < wait + 0.2
