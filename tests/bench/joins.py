"""Rows of joins: how many a second, what a verdict adds, an ordinary player's, and thousands that are held."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.bench.figures import Quartiles, Row, Taken, added, cpu, order, paired, percentile, values
from tests.bench.load import Joins, Words, arriving, crowd
from tests.bench.processes import memory, used
from tests.bench.product import Product

NONE, LEAST, BOUND, PRODUCT = "no callback", "return 200", "return 200, unix socket", "product"
ARRIVALS = 500.0  # players a second
FIRST = 500  # joins, before players stay
SETTLE = 0.3, 1.0  # seconds at the least and the most for the ends of the joins before, which are work of theirs
SETTLED = 3000  # ends a second


@dataclass(frozen=True, slots=True)
class Target:
    port: int
    rooms: Sequence[str]
    """Names with their passwords."""
    pids: Sequence[int] = ()
    """Of what is asked."""

    @property
    def words(self) -> list[Words]:
        return [Words.of(self.port, room) for room in self.rooms]


async def _one(target: Target, number: int, together: int, quick: bool) -> tuple[Joins, float]:
    """Joins, and microseconds of processor time each, with those for its end."""
    before = used(target.pids)
    joins = await crowd(target.port, target.words, number, together, quick)
    await asyncio.sleep(min(max(number / SETTLED, SETTLE[0]), SETTLE[1]))
    return joins, (used(target.pids) - before) / number * 1e6


async def compared(
    targets: Mapping[str, Target], repetitions: int, number: int, together: int, quick: bool = True
) -> dict[str, list[dict[str, Taken]]]:
    """Repetitions of `rate` (joins/s), `p50` and `p99` (milliseconds) by target, which take turns."""
    taken: dict[str, list[dict[str, Taken]]] = {"rate": [], "p50": [], "p99": []}
    for repetition in range(repetitions):
        now: dict[str, dict[str, Taken]] = {kind: {} for kind in taken}
        for name in order(list(targets), repetition):
            joins, each = await _one(targets[name], number, together, quick)
            now["rate"][name] = Taken(joins.rate, each)
            now["p50"][name] = Taken(statistics.median(joins.seconds) * 1000, each)
            now["p99"][name] = Taken(percentile(joins.seconds, 0.99) * 1000, each)
        for kind, known in taken.items():
            known.append(now[kind])
    return taken


async def join_rows(targets: Mapping[str, Target], repetitions: int, number: int) -> list[Row]:
    many = await compared(targets, repetitions, number, 32)
    single = await compared(targets, repetitions, max(200, number // 5), 1)
    plain = await compared({PRODUCT: targets[PRODUCT]}, repetitions, max(100, number // 20), 1, quick=False)
    return [
        Row("joins/s without callbacks, 32 at a time", values(many["rate"], NONE), "/s"),
        *(
            Row(f"joins/s over those: {name}", paired(many["rate"], name, NONE), cpu=cpu(many["rate"], name))
            for name in (LEAST, BOUND)
        ),
        Row("joins/s over those: product", paired(many["rate"], PRODUCT, NONE), cpu=cpu(many["rate"], PRODUCT)),
        Row("joins/s over the bound: product", paired(many["rate"], PRODUCT, BOUND), least=0.91, aim=1),
        Row("join p50 added over what 200 adds, 32", added(many["p50"], PRODUCT, LEAST, NONE), most=1.3, aim=1),
        Row("join p50 added over what 200 adds, 1", added(single["p50"], PRODUCT, LEAST, NONE), most=1.6, aim=1),
        *(
            Row(f"join p99 over without callbacks, 32: {name}", paired(many["p99"], name, NONE))
            for name in (LEAST, BOUND)
        ),
        Row("join p99 over without callbacks, 32: product", paired(many["p99"], PRODUCT, NONE), most=1.3, aim=1.1),
        Row("an ordinary player's join, p50", values(plain["p50"], PRODUCT), "ms", most=1.5, aim=0.9),
        Row("an ordinary player's join, p99", values(plain["p99"], PRODUCT), "ms", most=4, aim=2.5),
    ]


async def held_rows(made: Product, number: int, seconds: float) -> list[Row]:
    """Players who come at ARRIVALS and stay."""
    (control, *_) = pids = made.control
    target = Target(made.node.settings.rtmp_port, [made.rooms[0].play])
    await crowd(target.port, target.words, FIRST, 32)  # what is used for the first time is no player's memory
    before = memory(control)
    players, joined = await arriving(target.port, target.words, number, ARRIVALS)
    try:
        each = (memory(control) - before) / number
        await asyncio.sleep(5)  # until the last of them is renewed too
        started = used(pids)
        await asyncio.sleep(seconds)
        share = (used(pids) - started) / seconds
        dropped = sum(player.lost for player in players)
    finally:
        for player in players:
            player.close()
    renewals, p99 = number / made.node.settings.update_seconds, percentile(joined, 0.99) * 1000
    return [
        Row(
            f"join p99 while {number} come at 500/s",
            Quartiles.of([p99]),
            "ms",
            most=20,
            aim=5,
        ),
        Row(f"{number} held: dropped", Quartiles.of([float(dropped)]), "players", most=0),
        Row(
            f"{number} held: control's share of a core",
            Quartiles.of([share * 100]),
            "%",
            cpu=share / renewals * 1e6,
            most=10,
            aim=5,
        ),
        Row(f"{number} held: memory of control for each", Quartiles.of([each]), "B", most=1024, aim=400),
    ]
