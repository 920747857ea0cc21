"""Plots of `make bench`, from its JSON; run by the Python that has matplotlib.

    .bench/bin/python tests/bench/plots.py var/bench/bench.json FOLDER

Writes performance-ratios.png and performance-growth.png.
"""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("agg")
from matplotlib import pyplot, ticker
from PIL import Image

MET, MISSED, PLAIN = "#2a7f62", "#c0392b", "#7f8c8d"
DPI, COLOURS = 80, 256  # small files
WIDEST = 100  # times as good as wanted
GROWTH = re.compile(r"(?P<what>.+?)[, ]+(?:with )?(?P<size>\d+) (?:rooms|held) over (?P<first>\d+)$")

Row = dict[str, Any]


def good(row: Row, value: float) -> float:
    """How many times as good as wanted."""
    return float(value / row["least"] if row["least"] is not None else row["most"] / max(value, row["most"] / WIDEST))


def ratios(rows: list[Row], file: Path) -> None:
    """Each row that something is wanted of, on a scale where 1 is just enough."""
    judged = [row for row in rows if row["verdict"] and row["most"] != 0]
    figure, axes = pyplot.subplots(figsize=(9, 0.28 * len(judged) + 1), layout="constrained")
    for at, row in enumerate(reversed(judged)):
        low, median, high = (good(row, row["taken"][name]) for name in ("low", "median", "high"))
        colour = MET if row["verdict"] == "met" else MISSED
        axes.plot([low, high], [at, at], color=colour, linewidth=3, alpha=0.4, solid_capstyle="butt")
        axes.plot(median, at, "o", color=colour)
        if row["aim"] is not None:
            axes.plot(good(row, row["aim"]), at, "|", color="black", markersize=9)
    axes.set_yticks(range(len(judged)), [row["name"] for row in reversed(judged)], fontsize=8)
    axes.axvline(1, color="black", linewidth=1)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(ticker.FormatStrFormatter("%g"))
    axes.xaxis.set_minor_locator(ticker.NullLocator())
    axes.set_xlabel("times as good as wanted; |: the aim")
    axes.grid(axis="x", alpha=0.3)
    save(figure, file)


def growth(rows: list[Row], file: Path) -> None:
    """Each series over its smallest."""
    series: dict[str, list[tuple[float, Row]]] = {}
    for row in rows:
        if found := GROWTH.match(row["name"]):
            series.setdefault(f"{found['what']}, over {found['first']}", []).append((float(found["size"]), row))
    figure, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
    for name, points in series.items():
        first = float(name.rpartition(" ")[2])
        sizes = [first, *(size for size, _ in points)]
        medians = [1.0, *(row["taken"]["median"] for _, row in points)]
        (line,) = axes.plot(sizes, medians, "o-", label=name)
        for size, row in points:
            axes.vlines(size, row["taken"]["low"], row["taken"]["high"], color=line.get_color(), linewidth=4, alpha=0.4)
    axes.axhspan(0.9, 1.1, color=PLAIN, alpha=0.2)
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("rooms, or players held")
    axes.set_ylabel("over the smallest; grey: within 10 %")
    axes.legend()
    save(figure, file)


def save(figure: Any, file: Path) -> None:
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=DPI)
    pyplot.close(figure)
    Image.open(drawn).convert("RGB").quantize(COLOURS).save(file, optimize=True)


if __name__ == "__main__":
    known = json.loads(Path(sys.argv[1]).read_text())["rows"]
    folder = Path(sys.argv[2])
    ratios(known, folder / "performance-ratios.png")
    growth(known, folder / "performance-growth.png")
