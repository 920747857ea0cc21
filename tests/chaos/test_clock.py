"""Somebody sets the wall clock by an hour, under a live stream that is watched over RTMP and HLS."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from control.live.heartbeats import LIFETIME
from tests.chaos.clocks import WallClock, wall_clock
from tests.chaos.scenes import REPAIRED, UPDATE, broadcast, nobody_was_cut, right
from tests.e2e.conftest import Node, running, until
from tests.e2e.test_hls import playlist, status, ticket_url, watching

pytestmark = pytest.mark.anyio

HOUR = 3600


@pytest.fixture
async def clock() -> AsyncIterator[WallClock]:
    with wall_clock() as made:
        yield made


@pytest.fixture
async def node(tmp_path: Path, clock: WallClock) -> AsyncIterator[Node]:
    set_by_hand = Node(tmp_path / "node", update_seconds=UPDATE)
    clock.sets(set_by_hand)
    async with running(set_by_hand) as started:
        yield started


async def time_of_day(node: Node) -> float:
    """Seconds since the epoch, as nginx has it."""
    return parsedate_to_datetime((await node.http.get("/healthz")).headers["date"]).timestamp()


def web_workers(node: Node) -> list[str]:
    master = node.pid("web")
    return Path(f"/proc/{master}/task/{master}/children").read_text().split()


def have_ended(processes: list[str]) -> bool:
    return not any(Path("/proc", process).exists() for process in processes)


async def newest_segment(node: Node, url: str) -> list[str]:
    """None where there is no playlist."""
    return re.findall(r"^\d+\.ts$", (await node.http.get(url)).text, re.MULTILINE)[-1:]


async def moves_on(node: Node, url: str) -> None:
    """Waits for another segment."""
    last = await newest_segment(node, url)

    async def another() -> bool:
        return await newest_segment(node, url) not in ([], last)

    await until(another)


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
async def test_a_clock_that_is_set_cuts_nobody_and_all_is_right_soon(node: Node, clock: WallClock, jump: int) -> None:
    async with broadcast(node) as (room, clients):
        viewer = await node.user()
        url = await ticket_url(node, room, viewer)
        await playlist(node, url, within=2 * REPAIRED)
        async with watching(node, url):
            await node.counted(room, 4, REPAIRED)
            before, workers = await time_of_day(node), web_workers(node)
            clock.set(jump)
            if jump < 0:  # a worker that is replaced may close a connection that it has not read from yet
                await until(lambda: asyncio.to_thread(have_ended, workers))
            assert await time_of_day(node) - before == pytest.approx(jump, abs=60)
            room.session = await node.log_in("user1")  # no session outlives an hour without use
            await node.live(room, REPAIRED)
            await node.counted(room, 4, REPAIRED)
            await moves_on(node, url)
            await asyncio.sleep(LIFETIME)  # and whoever is not asked about is no longer counted
            assert await node.players(room) == 4
            await moves_on(node, url)
            await node.api("PlayLiveStream", sessionId=await node.log_in("user2"), liveroomId=room.id, status=0)
            await until(lambda: refused(node, url), 5)
        await right(node, room, live=True, players=3)
        assert nobody_was_cut(clients)


async def refused(node: Node, url: str) -> bool:
    return await status(node, url) == 403
