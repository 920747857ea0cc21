from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import httpx
import pytest

from control.rooms.gate import DEFAULT, HIGH, LOW
from tests.support.stage import Stage

pytestmark = pytest.mark.anyio


async def stopped(stage: Stage, **fields: int) -> None:
    """The owner stops a stream that goes on."""
    assert await stage.publish(1) == 204
    await stage.own("PushLiveStream", status=0, **fields)
    assert stage.box.nginx.dropped == [1]


@pytest.mark.parametrize(
    ("asked", "held"),
    [(0, DEFAULT), (LOW, LOW), (LOW - 1, LOW), (-5, LOW), (HIGH, HIGH), (HIGH + 1, HIGH), (10**12, HIGH)],
)
async def test_a_gate_is_shut_for_the_nearest_time_allowed_and_then_open(stage: Stage, asked: int, held: int) -> None:
    await stopped(stage, timeout=asked)
    shut_at = stage.box.clock.now()
    stage.box.clock.advance(held - 1)
    assert await stage.publish(2) == 403
    stage.box.clock.advance(shut_at + held - stage.box.clock.now())
    assert await stage.publish(3) == 204


async def test_a_gate_can_be_opened_before_its_time(stage: Stage) -> None:
    await stopped(stage, timeout=3600)
    await stage.own("PushLiveStream", status=1)
    assert await stage.publish(2) == 204


async def test_a_shut_gate_puts_the_publisher_out_and_leaves_players(stage: Stage) -> None:
    assert await stage.play(2) == 204
    await stopped(stage)
    assert await stage.status() == (False, 1)


async def test_a_stop_behind_a_publisher_that_has_left_shuts_nothing(stage: Stage) -> None:
    await stage.publish(1)
    await stage.leave(1)
    await stage.own("PushLiveStream", status=0)
    assert await stage.publish(2) == 204


async def leaving(stage: Stage, after: float) -> None:
    """The publisher leaves by itself, so long after its owner says stop."""
    stop = stage.box.api("PushLiveStream", sessionId=stage.session, liveRoomId=stage.id, status=0)
    left = stage.box.clock.ticks() + after

    async def leave() -> None:
        if stage.box.clock.ticks() >= left and 1 in stage.box.nginx.clients:
            await stage.leave(1)

    assert (await stage.box.clock.steps(0.0, stop, leave))["status"] == 10000


@pytest.mark.parametrize(("after", "verdict"), [(0.1, 204), (0.2, 204), (0.4, 403)])
async def test_a_publisher_has_a_moment_to_leave_by_itself(stage: Stage, after: float, verdict: int) -> None:
    await stage.publish(1)
    await leaving(stage, after)
    assert stage.box.nginx.dropped == ([] if verdict == 204 else [1])
    assert await stage.publish(2) == verdict


async def test_a_publisher_that_came_back_meanwhile_is_stopped(stage: Stage) -> None:
    await stage.publish(1)
    stop = stage.box.api("PushLiveStream", sessionId=stage.session, liveRoomId=stage.id, status=0)

    async def come_back() -> None:
        if 1 in stage.box.nginx.clients:
            await stage.leave(1)
            await stage.publish(2)

    await stage.box.clock.steps(0.0, stop, come_back)
    assert stage.box.nginx.dropped == [2]


async def test_a_stop_while_nginx_is_out_of_hearing_shuts_the_gate(stage: Stage) -> None:
    await stage.publish(1)
    stage.box.nginx.broken = True
    stage.box.clock.advance(13)
    assert await stage.status() == (False, 0)  # its lease ran out
    await stage.own("PushLiveStream", status=0)
    stage.box.nginx.broken = False
    assert await stage.update(1) == 403


async def test_a_start_that_comes_during_a_stop_takes_effect_after_it(stage: Stage) -> None:
    await stage.publish(1)
    starts: list[asyncio.Task[httpx.Response]] = []

    def call(status: int) -> Coroutine[Any, Any, httpx.Response]:
        fields = {"sessionId": stage.session, "liveRoomId": stage.id, "status": status}
        return stage.box.http.post("/live/PushLiveStream", json=fields)

    async def start() -> None:
        """While the stop waits for the publisher to leave by itself: it has the time to overtake."""
        if not starts:
            starts.append(asyncio.create_task(call(1)))
            await asyncio.wait(starts, timeout=0.3)

    await stage.box.clock.steps(0.1, call(0), start)
    assert (await starts[0]).json()["status"] == 10000
    assert stage.box.nginx.dropped == [1]
    assert await stage.publish(2) == 204
