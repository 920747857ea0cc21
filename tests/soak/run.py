"""One run: people move, every room is compared every second, and in the end everybody stays where they are."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import tempfile
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.e2e.cluster import cluster
from tests.e2e.conftest import Node
from tests.e2e.stand_in import open_to_others
from tests.soak.chart import draw
from tests.soak.figures import Figures, figures
from tests.soak.known import REPAIRED, Known, Sample, Told
from tests.soak.people import Place, Town, anchor, hls_viewer, player
from tests.support.postgres import served

EVERY = 1.0  # seconds between two comparisons
SAY_EVERY = 10  # comparisons
STILL = 25.0  # seconds at the end for which nobody moves: longer than a stalled one stays, or a viewer over HLS lingers
KILL_EVERY = 60.0  # seconds, on average


@dataclass(frozen=True, slots=True)
class Options:
    minutes: float
    nodes: int
    rooms: int
    players: int
    """At the most, one in ten of them over HLS."""
    kills: int
    seed: int
    plot: Path


@dataclass
class Record:
    """Points in time are seconds since the start."""

    samples: list[Sample] = field(default_factory=list)
    players: list[tuple[float, int]] = field(default_factory=list)
    unanswered: int = 0
    kills: int = 0


async def soak(options: Options) -> Figures:
    print(f"seed {options.seed}: {options.rooms} rooms, {options.players} players, {options.minutes:g} minutes")
    async with _node() if options.nodes == 1 else _nodes() as nodes:
        entropy = random.Random(options.seed)
        rooms = [await nodes[0].room() for _ in range(options.rooms)]
        town = Town(nodes, [Place(room, Known(room.id), entropy.choice(nodes)) for room in rooms], entropy)
        viewers = [await nodes[0].user() for _ in range(options.players // 10)]
        people = [
            *(anchor(town, place) for place in town.places),
            *(player(town) for _ in range(options.players - len(viewers))),
            *(hls_viewer(town, session) for session in viewers),
        ]
        record = await _observe(town, people, options)
    return _report(town, record, options)


@asynccontextmanager
async def _nodes() -> AsyncIterator[list[Node]]:
    with tempfile.TemporaryDirectory(prefix="qplus-soak-") as folder:
        open_to_others(Path(folder))
        with served(Path(folder) / "server") as server:
            async with cluster(Path(folder), server) as nodes:
                yield nodes


@asynccontextmanager
async def _node() -> AsyncIterator[list[Node]]:
    with tempfile.TemporaryDirectory(prefix="qplus-soak-") as folder:
        node = Node(Path(folder) / "node")
        node.start()
        try:
            await node.ready()
            yield [node]
        finally:
            await node.http.aclose()
            if not node.ended():
                await asyncio.to_thread(node.stop)


async def _observe(town: Town, people: list[Coroutine[None, None, None]], options: Options) -> Record:
    record = Record()
    town.moving.set()
    tasks = [asyncio.create_task(each) for each in people]
    if options.kills:
        tasks.append(asyncio.create_task(_kill(town, record)))
    try:
        await _compare(town, tasks, record, 60 * options.minutes)
        town.moving.clear()
        await _compare(town, tasks, record, STILL)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    return record


async def _compare(town: Town, tasks: list[asyncio.Task[None]], record: Record, seconds: float) -> None:
    """Once a second. Raises what ended one of the tasks, which otherwise go on."""
    began = town.now()
    while (at := town.now()) < began + seconds:
        told = await asyncio.gather(*(_told(town, place) for place in town.places))
        for place, each in zip(town.places, told, strict=True):
            if each is None:
                record.unanswered += 1
            else:
                record.samples.append(place.known.compare(at, each))
        record.players.append((at, sum(each.players for each in told if each)))
        if len(record.players) % SAY_EVERY == 0:
            _say(town, record, told)
        for task in tasks:
            if task.done():
                task.result()
        await asyncio.sleep(at + EVERY - town.now())


async def _told(town: Town, place: Place) -> Told | None:
    """None where there is no answer."""
    try:
        mine = await town.some_node().api("GetMyLiveRoom", sessionId=place.room.session)
    except (httpx.TransportError, ValueError):  # busy, in plain words
        return None
    return Told(bool(mine["isPlay"]), mine["playerCount"])


def _say(town: Town, record: Record, told: list[Told | None]) -> None:
    seconds = record.players[-1][0] - record.players[0][0]
    live = sum(each.live for each in told if each)
    print(
        f"{seconds:5.0f} s: {live} rooms live, {record.players[-1][1]} players; {figures(record.samples)}", flush=True
    )


async def _kill(town: Town, record: Record) -> None:
    while True:
        await town.pause(KILL_EVERY)
        os.kill(town.some_node().pid("control"), signal.SIGKILL)
        record.kills += 1
        for place in town.places:
            place.known.disturbed(town.now())
        await asyncio.sleep(REPAIRED)


def _report(town: Town, record: Record, options: Options) -> Figures:
    unanswered = 0 if record.kills else record.unanswered
    found = figures(record.samples, town.refused + town.cut + unanswered)
    start = record.players[0][0]
    samples = [Sample(round(each.at - start), each.room, each.settled, each.error) for each in record.samples]
    people = f"{options.nodes} nodes, {options.rooms} rooms, up to {options.players} players"
    title = f"{people}, {record.kills} kills of control, seed {options.seed}"
    draw(options.plot, title, samples, [(round(at - start), number) for at, number in record.players])
    print(f"{found}; {town.joined} RTMP joins, {town.refused} refused, {town.cut} cut, {town.moved} to come back")
    print(f"{record.kills} kills, {record.unanswered} samples unanswered, seed {options.seed}, plot {options.plot}")
    return found
