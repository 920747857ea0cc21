"""What `control` counts and logs, read from its source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

CONTROL = Path(__file__).parents[2] / "control"
METRICS = {"Counter": "counter", "Gauge": "gauge", "Histogram": "histogram", "Latencies": "histogram"}
LEVELS = {"debug": "debug", "info": "info", "warning": "warning", "error": "error", "exception": "error"}
VARIES = "<>"


@dataclass
class Event:
    levels: set[str] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)


def calls() -> Iterator[tuple[ast.Call, dict[str, set[str]]]]:
    """Each call in `control`, with the levels of names that stand for a method of `log` in its file."""
    for file in sorted(CONTROL.rglob("*.py")):
        nodes = list(ast.walk(ast.parse(file.read_text())))
        named = {
            target.id: levels
            for node in nodes
            if isinstance(node, ast.Assign) and (levels := _levels(node.value)) and not isinstance(node.value, ast.Call)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        yield from ((node, named) for node in nodes if isinstance(node, ast.Call))


def metrics() -> dict[str, tuple[str, list[str]]]:
    """The kind and the labels of each, by the name that Prometheus sees."""
    found = {}
    for call, _ in calls():
        if isinstance(call.func, ast.Name) and call.func.id in METRICS:
            kind = METRICS[call.func.id]
            name, _, *labels = (ast.literal_eval(argument) for argument in call.args)
            found[f"{name}_total" if kind == "counter" else name] = kind, [each for part in labels for each in part]
    return found


def events() -> dict[str, Event]:
    """By name; what varies in one is `<>`."""
    found: dict[str, Event] = {}
    for call, named in calls():
        levels = named.get(call.func.id, set()) if isinstance(call.func, ast.Name) else _level(call.func)
        if levels:
            event = found.setdefault(_text(call.args[0]), Event())
            event.levels |= levels
            event.keys |= {keyword.arg for keyword in call.keywords if keyword.arg} - {"exc_info"}
    return found


def _levels(node: ast.expr) -> set[str]:
    return {level for each in ast.walk(node) if isinstance(each, ast.Attribute) for level in _level(each)}


def _level(node: ast.expr) -> set[str]:
    match node:
        case ast.Attribute(value=ast.Name(id="log"), attr=method):
            return {LEVELS[method]}
    return set()


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else VARIES for part in node.values)
    return str(ast.literal_eval(node))
