"""Rows of growth: the same work, with more there beside it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from tests.bench.figures import Quartiles, Row, Taken, cpu, paired, spread
from tests.bench.joins import ARRIVALS, Target, compared
from tests.bench.load import Player, Words, arriving
from tests.bench.processes import used
from tests.bench.product import Product, product
from tests.bench.size import Sized

WITHIN = 10  # per cent, from the least to the most


async def join_growth_rows(nodes: Sequence[Sized], repetitions: int, number: int) -> list[Row]:
    """Joins of one room, on nodes with more and more of them."""
    targets = {
        str(node.rooms): Target(node.made.node.settings.rtmp_port, [node.made.rooms[0].play], node.made.control)
        for node in nodes
    }
    taken = (await compared(targets, repetitions, number, 32))["rate"]
    ratios, (first, *_, last) = _over_first(taken), targets
    return [
        *(Row(f"joins/s with {size} rooms over {first}", each, cpu=cpu(taken, size)) for size, each in ratios.items()),
        _apart(f"joins/s with {first} to {last} rooms: apart", ratios, WITHIN),
    ]


async def renewal_rows(folder: Path, numbers: Sequence[int], windows: int) -> list[Row]:
    """What control takes for a renewal, where more and more are held: each number on a node of its own, all of them at
    the same time. What it takes where none is held is not counted."""
    async with AsyncExitStack() as stack:
        nodes = {
            number: await stack.enter_async_context(_holding(folder / str(number), number)) for number in (0, *numbers)
        }
        period = nodes[0].node.settings.update_seconds
        await asyncio.sleep(period)  # until the last to come is renewed too
        taken = [await _window(nodes, period) for _ in range(windows)]
    ratios, name = _over_first(taken), "CPU of control a renewal"
    return [
        *(
            Row(f"{name}, {size} held over {numbers[0]}", each, cpu=cpu(taken, size), most=1 + WITHIN / 100)
            for size, each in ratios.items()
        ),
        # Not judged: where more come, more are answered at a time, and each costs less.
        _apart(f"{name}, {numbers[0]} to {numbers[-1]} held: apart", ratios),
    ]


@asynccontextmanager
async def _holding(folder: Path, number: int) -> AsyncIterator[Product]:
    players: list[Player] = []
    async with product(folder, rooms=1) as made:
        words = [Words.of(made.node.settings.rtmp_port, made.rooms[0].play)]
        players, _ = await arriving(made.node.settings.rtmp_port, words, number, ARRIVALS)
        try:
            yield made
            if lost := sum(player.lost for player in players):
                raise RuntimeError(f"{lost} of {number} players were dropped")
        finally:
            for player in players:
                player.close()


async def _window(nodes: Mapping[int, Product], seconds: float) -> dict[str, Taken]:
    """In which each player is renewed once: microseconds for each, by how many are held."""
    pids = {number: made.control for number, made in nodes.items()}
    before = {number: used(each) for number, each in pids.items()}
    await asyncio.sleep(seconds)
    spent = {number: used(each) - before[number] for number, each in pids.items()}
    each = {number: (spent[number] - spent[0]) / number * 1e6 for number in nodes if number}
    return {str(number): Taken(micros, micros) for number, micros in each.items()}


def _over_first(taken: Sequence[Mapping[str, Taken]]) -> dict[str, Quartiles]:
    first, *others = taken[0]
    return {size: paired(taken, size, first) for size in others}


def _apart(name: str, ratios: Mapping[str, Quartiles], most: float | None = None) -> Row:
    """Of the medians, the first being 1."""
    apart = spread([1.0, *(each.median for each in ratios.values())]) * 100
    return Row(name, Quartiles.of([apart]), "%", most=most)
