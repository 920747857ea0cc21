"""The picture of a run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import pygal
from pygal.style import CleanStyle

from tests.soak.known import Sample

STYLE = CleanStyle(
    colors=("#f0b429", "#c81e1e", "#9fb3c8"),  # those of the right axis come last
    background="#ffffff",
    plot_background="#ffffff",
    guide_stroke_color="#e4e7eb",
    major_guide_stroke_color="#e4e7eb",
    label_font_size=12,
    major_label_font_size=12,
    legend_font_size=14,
)


def draw(file: Path, title: str, samples: Sequence[Sample], players: Sequence[tuple[float, int]]) -> None:
    """Errors summed over the rooms, and how many watched; `players` are points in time and what was told then."""
    settled, everything = _sums(each for each in samples if each.settled), _sums(samples)
    highest = max([4, *(error for _, error in everything)])
    chart = pygal.XY(
        style=STYLE,
        js=(),  # no script, so that nothing is fetched by whoever looks at it
        title=title,
        x_title="seconds",
        y_labels=range(0, highest + 1, max(1, highest // 5)),
        secondary_range=(0, max(number for _, number in players) or 1),
        width=1000,
        height=420,
        show_dots=False,
        legend_at_bottom=True,
        legend_at_bottom_columns=1,
    )
    chart.add("error, all samples", everything)
    chart.add("error 2 s after a room's last change", settled, stroke_style={"width": 3})
    chart.add("players told (right axis)", players, secondary=True)
    file.parent.mkdir(parents=True, exist_ok=True)
    chart.render_to_file(str(file))


def _sums(samples: Iterable[Sample]) -> list[tuple[float, int]]:
    sums = defaultdict[float, int](int)
    for sample in samples:
        sums[sample.at] += sample.error
    return sorted(sums.items())
