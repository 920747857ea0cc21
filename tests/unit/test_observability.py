"""The board, the alerts and what there is to see agree."""

from __future__ import annotations

import json
import re
from typing import Any

import promql_parser
import pytest
import yaml

from tests.support import telemetry
from tests.support.containers import DOCKER, compose

FOLDER = DOCKER / "observability"
BOARD: dict[str, Any] = json.loads((FOLDER / "board.json").read_text())
ALERTS: list[dict[str, Any]] = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"][0]["rules"]
PANELS = [(panel["title"], target["expr"]) for panel in BOARD["panels"] for target in panel["targets"]]
EXPRESSIONS = [*PANELS, *((rule["alert"], rule["expr"]) for rule in ALERTS)]
ENDINGS = {"histogram": ("_bucket", "_count", "_sum")}
OTHERS = {"up", "process_resident_memory_bytes", "process_open_fds", "process_max_fds"}
ADDED = {"instance", "job", "le"}
"""Labels that Prometheus gives."""

METRICS = {
    f"{name}{ending}": labels
    for name, (kind, labels) in telemetry.metrics().items()
    for ending in ENDINGS.get(kind, ("",))
}


def written_out(expression: str) -> str:
    """With what Grafana fills in."""
    return expression.replace("$__rate_interval", "1m").replace("$node", ".*")


def named(expression: str) -> set[str]:
    return set(re.findall(r"\b(?:qplus|process)_\w+|\bup\b", expression))


@pytest.mark.parametrize("expression", [each for _, each in EXPRESSIONS], ids=[name for name, _ in EXPRESSIONS])
def test_an_expression_can_be_read_and_names_what_there_is(expression: str) -> None:
    promql_parser.parse(written_out(expression))
    names = named(expression)
    assert names <= METRICS.keys() | OTHERS
    labels = {each for name in names for each in METRICS.get(name, [])} | ADDED
    matched = re.findall(r"(\w+) *(?:=|=~|!=|!~) *\"", expression)
    grouped = [each for group in re.findall(r"by \(([^)]*)\)", expression) for each in group.split(",")]
    assert {*matched, *(each.strip() for each in grouped)} <= labels


def test_the_board_shows_every_metric() -> None:
    shown = {name for _, expression in PANELS for name in named(expression)}
    missing = [name for name, (kind, _) in telemetry.metrics().items() if not {name, f"{name}_bucket"} & shown]
    assert missing == []


@pytest.mark.parametrize(
    "expression, legend", [(t["expr"], t["legendFormat"]) for p in BOARD["panels"] for t in p["targets"]]
)
def test_a_legend_names_labels_that_are_left(expression: str, legend: str) -> None:
    grouped = {each.strip() for group in re.findall(r"by \(([^)]*)\)", expression) for each in group.split(",")}
    assert {*re.findall(r"\{\{(\w+)\}\}", legend)} <= grouped | {"instance"}


def test_panels_do_not_lie_over_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in BOARD["panels"]:
        at = panel["gridPos"]
        own = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24 and not own & taken
        taken |= own


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_an_alert_says_how_bad_it_is_and_what_it_means(rule: dict[str, Any]) -> None:
    assert rule.keys() <= {"alert", "expr", "for", "labels", "annotations"}
    assert rule["labels"]["severity"] in ("page", "warning")
    assert rule["annotations"]["summary"]


def test_prometheus_asks_where_control_answers() -> None:
    services = compose("compose.yaml")["services"]
    port = services["control"]["environment"]["QPLUS_METRICS_PORT"]
    scraped = yaml.safe_load((FOLDER / "prometheus.yml").read_text())["scrape_configs"]
    assert [each["job_name"] for each in scraped] == ["qplus"]
    assert scraped[0]["static_configs"] == [{"targets": [f"control:{port}"]}]
    assert str(port) not in str(services["control"].get("ports", ""))


@pytest.mark.parametrize("service", ["prometheus", "grafana"])
def test_what_is_mounted_is_there(service: str) -> None:
    mounted = [each.split(":")[0] for each in compose("compose.yaml")["services"][service]["volumes"]]
    assert all((DOCKER / each).exists() for each in mounted if each.startswith("./"))
    assert compose("compose.yaml")["services"][service]["profiles"] == ["observability"]


def test_the_board_reads_from_the_source_that_is_set_up() -> None:
    [source] = yaml.safe_load((FOLDER / "provisioning/datasources/prometheus.yml").read_text())["datasources"]
    assert {panel["datasource"]["uid"] for panel in BOARD["panels"]} == {source["uid"]}
