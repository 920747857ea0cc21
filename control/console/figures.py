"""How this node does over time: a row every ten seconds, which become one a minute, and those one an hour."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa

from control.clock import Clock
from control.live.heartbeats import Heartbeats
from control.live.presence import Presence
from control.storage.database import Store, insert
from control.storage.tables import figures

EVERY = 10  # seconds between two
KEPT: Mapping[int, int] = {EVERY: 7200, 60: 2 * 86400, 3600: 90 * 86400}
"""By seconds that a row stands for, seconds that it is kept."""
SPANS: Mapping[str, tuple[int, int]] = {"hour": (3600, EVERY), "day": (86400, 60), "month": (30 * 86400, 3600)}
"""Seconds, and of how many seconds its rows are."""
MEANS, SUMS = ("live", "over_rtmp", "over_hls", "bits_per_second"), ("joins", "refusals")


class Counted(NamedTuple):
    """Since this control began."""

    joins: float
    refusals: float
    answered: tuple[tuple[float, float], ...]
    """Callbacks, by seconds within which they were."""


@dataclass
class Figures:
    """`counted` reads what is counted for the operator's Prometheus."""

    store: Store
    node: str
    presence: Presence
    heartbeats: Heartbeats
    players: Callable[[], int]
    counted: Callable[[], Counted]
    clock: Clock
    _before: Counted | None = None

    async def step(self) -> None:
        """Writes a row, and makes one of several where a longer time is over."""
        now = int(self.clock.now()) // EVERY * EVERY
        counted, before = self.counted(), self._before
        self._before = counted
        if before is None:
            return
        publishers = [each for each in self.presence.publishers() if each.live]
        row = {
            "live": len(publishers),
            "over_rtmp": max(0, self.players() - self.heartbeats.number),
            "over_hls": self.heartbeats.number,
            "bits_per_second": sum(each.stream_info.bits_per_second for each in publishers if each.stream_info),
            "joins": counted.joins - before.joins,
            "refusals": counted.refusals - before.refusals,
            "slowest": slowest(before.answered, counted.answered),
        }
        await self._write(row | {"node": self.node, "step": EVERY, "at": now - EVERY})
        for shorter, longer in ((EVERY, 60), (60, 3600)):
            if now % longer < EVERY:
                await self._gather(shorter, longer, now // longer * longer - longer)

    async def of(self, span: str) -> list[dict[str, Any]]:
        """Of all nodes together, the oldest first."""
        seconds, step = SPANS[span]
        since = int(self.clock.now()) - seconds
        sums = [sa.func.sum(figures.c[name]).label(name) for name in (*MEANS, *SUMS)]
        query = sa.select(figures.c.at, *sums, sa.func.max(figures.c.slowest).label("slowest"))
        query = query.where(figures.c.step == step, figures.c.at >= since).group_by(figures.c.at)
        return [dict(row) for row in await self.store.fetch_all(query.order_by(figures.c.at))]

    async def purge(self) -> None:
        now = self.clock.now()
        outdated = ((figures.c.step == step, figures.c.at < int(now - kept)) for step, kept in KEPT.items())
        await self.store.write(*(figures.delete().where(*these) for these in outdated))

    async def _gather(self, shorter: int, longer: int, begin: int) -> None:
        mine = figures.c.node == self.node, figures.c.step == shorter
        means = [sa.func.avg(figures.c[name]).label(name) for name in MEANS]
        sums = [sa.func.sum(figures.c[name]).label(name) for name in SUMS]
        query = sa.select(*means, *sums, sa.func.max(figures.c.slowest).label("slowest"))
        row = await self.store.fetch_one(query.where(*mine, figures.c.at >= begin, figures.c.at < begin + longer))
        if row is not None and row["live"] is not None:
            await self._write({**dict(row), "node": self.node, "step": longer, "at": begin})

    async def _write(self, row: Mapping[str, Any]) -> None:
        upsert = insert(figures).values(row)
        await self.store.write(upsert.on_conflict_do_update(index_elements=["step", "at", "node"], set_=row))


def slowest(before: Iterable[tuple[float, float]], now: Iterable[tuple[float, float]]) -> float:
    """Seconds within which 99 of 100 were answered since `before`: the bound that they stay under. 0 for none."""
    had = dict(before)
    since = [(bound, count - had.get(bound, 0.0)) for bound, count in now]
    total = max((count for _, count in since), default=0.0)
    return next((bound for bound, count in since if total and count >= 0.99 * total), 0.0)
