"""Figures of paired measurements: quartiles, ratios, and the table that shows them. Nothing here measures."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Taken:
    """What one variant gave in one repetition."""

    value: float
    cpu: float = 0.0
    """Microseconds of processor time an operation, of the process that is asked."""


@dataclass(frozen=True, slots=True)
class Quartiles:
    low: float
    median: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Quartiles:
        """Of one value and more; between two values it is as far as the quarter lies. Raises ValueError for none."""
        known = sorted(values)
        if not known:
            raise ValueError("no values")
        if len(known) == 1:
            return cls(known[0], known[0], known[0])
        return cls(*statistics.quantiles(known, n=4, method="inclusive"))


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table."""

    name: str
    taken: Quartiles
    unit: str = ""
    """Empty for a ratio."""
    cpu: float = 0.0
    """Microseconds an operation, the median; 0 where it was not taken."""
    least: float | None = None
    """At least this much is wanted."""
    most: float | None = None
    """At most this much is wanted."""
    aim: float | None = None
    """What would be good, where something is wanted; no verdict is about it."""

    @property
    def verdict(self) -> str:
        """By the median; empty where nothing is wanted."""
        if self.least is None and self.most is None:
            return ""
        enough = self.least is None or self.taken.median >= self.least
        return "met" if enough and (self.most is None or self.taken.median <= self.most) else "MISSED"

    @property
    def wanted(self) -> str:
        sides = [f"≥ {self.least:g}"] if self.least is not None else []
        sides += [f"≤ {self.most:g}"] if self.most is not None else []
        return " ".join(sides) + (f", aim {self.aim:g}" if self.aim is not None else "")


Repetition = Mapping[str, Taken]


def order(names: Sequence[str], repetition: int) -> list[str]:
    """Of variants that take turns: the one before, backwards, so that a drift of the machine favours none."""
    return list(names) if repetition % 2 == 0 else list(reversed(names))


def paired(repetitions: Iterable[Repetition], name: str, baseline: str) -> Quartiles:
    """Of the ratios to the baseline of the same repetition."""
    return Quartiles.of(each[name].value / each[baseline].value for each in repetitions)


def added(repetitions: Iterable[Repetition], name: str, least: str, baseline: str) -> Quartiles:
    """How many times as much `name` adds to the baseline as `least` does. Repetitions where `least` added nothing
    cannot tell. Raises ValueError where none can."""
    pairs = [
        (each[name].value - each[baseline].value, each[least].value - each[baseline].value) for each in repetitions
    ]
    return Quartiles.of(more / little for more, little in pairs if little > 0)


def spread(values: Iterable[float]) -> float:
    """How far the least lies below the most, as a share of the most. Raises ValueError for no values."""
    known = list(values)
    return (max(known) - min(known)) / max(known)


def values(repetitions: Iterable[Repetition], name: str) -> Quartiles:
    return Quartiles.of(each[name].value for each in repetitions)


def cpu(repetitions: Iterable[Repetition], name: str) -> float:
    return statistics.median(each[name].cpu for each in repetitions)


def percentile(known: Sequence[float], share: float) -> float:
    """The smallest value that `share` of all, from 0 to 1, are not above. Raises ValueError for no values."""
    if not known:
        raise ValueError("no values")
    return sorted(known)[max(0, min(len(known), -int(-len(known) * share // 1)) - 1)]


def table(rows: Iterable[Row]) -> str:
    """As text; also a table in Markdown."""
    head = ("what", "median", "quartiles", "CPU µs", "wanted", "")
    lines = [head, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    drawn = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    ]
    drawn.insert(1, "| " + " | ".join("-" * max(width, 3) for width in widths) + " |")
    return "\n".join(drawn)


def _cells(row: Row) -> tuple[str, ...]:
    between = f"{_short(row.taken.low)}–{_short(row.taken.high)}"
    median = f"{_short(row.taken.median)} {row.unit}".strip()
    return row.name, median, between, f"{row.cpu:.0f}" if row.cpu else "", row.wanted, row.verdict


def _short(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
