"""Rows of the guard: the same node with and without it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from tests.bench.figures import Row, Taken, cpu, order, paired, values
from tests.bench.joins import ARRIVALS, Target, compared
from tests.bench.load import arriving, received
from tests.bench.processes import family, used
from tests.bench.product import Product

WITHOUT, WITH = "without", "with"
PLAYERS = 60  # of a room, at 2 Mbit/s


def _parts(made: Product) -> list[int]:
    """What moves media."""
    parts = ("rtmp", "guard") if made.node.settings.has_guard else ("rtmp",)
    return [pid for part in parts for pid in family(made.node.pid(part))]


def _target(made: Product, room: int) -> Target:
    return Target(made.node.settings.rtmp_port, [made.rooms[room].play], _parts(made))


async def guard_rows(nodes: Mapping[str, Product], repetitions: int, number: int, seconds: float) -> list[Row]:
    """WITHOUT and WITH; the first room of each is live, its second is not."""
    joined = {name: _target(made, 1) for name, made in nodes.items()}
    many = await compared(joined, repetitions, number, 32)
    single = await compared(joined, repetitions, max(100, number // 5), 1, quick=False)
    media = []
    for repetition in range(repetitions):
        turns = order(list(nodes), repetition)
        media.append({name: await _media(_target(nodes[name], 0), seconds) for name in turns})
    through = "through the guard"
    return [
        Row(f"joins/s {through} over without", paired(many["rate"], WITH, WITHOUT), cpu=cpu(many["rate"], WITH)),
        Row(f"join p50 {through} over without, 32", paired(many["p50"], WITH, WITHOUT)),
        Row(f"an ordinary player's join {through}, p50", values(single["p50"], WITH), "ms", most=1.5, aim=0.9),
        Row(f"an ordinary player's join {through}, p99", values(single["p99"], WITH), "ms", most=4, aim=2.5),
        Row(f"an ordinary player's join {through} over without, p50", paired(single["p50"], WITH, WITHOUT)),
        Row("media without the guard: CPU a MB", values(media, WITHOUT), "ms"),
        Row(f"media {through}: CPU a MB over without", paired(media, WITH, WITHOUT)),
    ]


async def _media(target: Target, seconds: float) -> Taken:
    """Milliseconds of processor time for each MB that players receive."""
    players, _ = await arriving(target.port, target.words, PLAYERS, ARRIVALS)
    await asyncio.sleep(1)  # until all have had their first key frame
    before, had = used(target.pids), received(players)
    await asyncio.sleep(seconds)
    spent, megabytes = used(target.pids) - before, (received(players) - had) / 1e6
    for player in players:
        player.close()
    return Taken(spent * 1000 / megabytes)
