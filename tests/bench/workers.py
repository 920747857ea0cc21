"""Rows of several rtmp nginx: the same node, behind its guard, with one and with more of them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from itertools import chain

from tests.bench.figures import Row, Taken, cpu, order, paired, values
from tests.bench.joins import ARRIVALS, Target, compared
from tests.bench.load import arriving, received
from tests.bench.processes import family, used
from tests.bench.product import Product

PLAYERS = 60  # of a room, at 2 Mbit/s


def name_of(number: int) -> str:
    return f"{number} rtmp nginx"


def _each(made: Product) -> list[list[int]]:
    """The processes of each rtmp nginx."""
    return [family(made.node.pid(worker.name)) for worker in made.node.settings.workers]


async def worker_rows(nodes: Mapping[int, Product], repetitions: int, number: int, seconds: float) -> list[Row]:
    """By how many they have; the first room of each is live, its second is not."""
    targets = {
        name_of(count): Target(made.node.settings.rtmp_port, [made.rooms[1].play], [*chain(*_each(made))])
        for count, made in nodes.items()
    }
    joined = await compared(targets, repetitions, number, 32)
    costs, limits = [], []
    for repetition in range(repetitions):
        cost, limit = {}, {}
        for count in map(int, order([str(each) for each in nodes], repetition)):
            cost[name_of(count)], limit[name_of(count)] = await _media(nodes[count], seconds)
        costs.append(cost)
        limits.append(limit)
    one, *others = map(name_of, nodes)
    rows = [Row(f"Gbit/s until the core of {one} is full", values(limits, one), "Gbit/s")]
    for several in others:
        rate = joined["rate"]
        rows += [
            Row(f"joins/s, {several} over {one}", paired(rate, several, one), cpu=cpu(rate, several)),
            Row(f"media: CPU a MB, {several} over {one}", paired(costs, several, one)),
            Row(f"Gbit/s until the busiest core is full, {several} over {one}", paired(limits, several, one)),
        ]
    return rows


async def _media(made: Product, seconds: float) -> tuple[Taken, Taken]:
    """Milliseconds of processor time of all rtmp nginx for each MB that players of one room receive; and how many
    Gbit/s they would receive if the busiest of them had all of a core."""
    target = Target(made.node.settings.rtmp_port, [made.rooms[0].play])
    players, _ = await arriving(target.port, target.words, PLAYERS, ARRIVALS)
    await asyncio.sleep(1)  # until all have had their first key frame
    before, had = [used(pids) for pids in _each(made)], received(players)
    await asyncio.sleep(seconds)
    spent = [used(pids) - already for pids, already in zip(_each(made), before, strict=True)]
    megabytes = (received(players) - had) / 1e6
    for player in players:
        player.close()
    return Taken(sum(spent) * 1000 / megabytes), Taken(megabytes * 8 / 1000 / max(spent))
