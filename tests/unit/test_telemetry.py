"""docs/metrics.md says what is counted and logged, all of it and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support import telemetry
from tests.support.telemetry import Event

PAGE = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()


def rows(heading: str) -> list[list[str]]:
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split(" |")] for line in lines]


def names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_every_metric_is_documented_as_it_is() -> None:
    documented = {names(name)[0]: (kind, names(labels)) for name, kind, labels, *_ in rows("Metrics")}
    assert documented == telemetry.metrics()


def test_every_metric_says_what_it_means_and_what_to_alert_on() -> None:
    assert all(meaning and alert for *_, meaning, alert in rows("Metrics"))


def test_every_log_event_is_documented_as_it_is() -> None:
    documented = {
        re.sub("<[^>]*>", telemetry.VARIES, names(name)[0]): Event(set(levels.split(", ")), set(names(keys)))
        for name, levels, keys, _ in rows("Log events")
    }
    assert documented == telemetry.events()
