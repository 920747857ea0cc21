"""What commands list, as tables for people and as JSON for programs. rich is imported only where it is shown."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from control.ops.logs import escaped

if TYPE_CHECKING:
    from rich.table import Table

PUBLISHER = {
    "node": "node",
    "address": "from",
    "encoder": "encoder",
    "seconds": "seconds",
    "video": "video",
    "sound": "sound",
    "width": "width",
    "height": "height",
    "frames_per_second": "fps",
    "bits_per_second": "bit/s",
}


def show(told: Mapping[str, Any], rows: Iterable[Mapping[str, Any]], columns: Mapping[str, str], as_json: bool) -> None:
    """`columns`: which values of a row are shown, and below which heads."""
    if as_json:
        print(json.dumps(told, ensure_ascii=False), flush=True)
        return
    from rich.console import Console

    Console().print(table(rows, columns))


def show_one(
    told: Mapping[str, Any], rows: Iterable[Mapping[str, Any]], columns: Mapping[str, str], as_json: bool
) -> None:
    """What is known of one thing, line by line, and a table of what it has several of."""
    if not as_json:
        for name, value in told.items():
            if not isinstance(value, list | dict):
                print(f"{name.replace('_', ' '):18} {text(name, value)}")
    rows = list(rows)
    if rows or as_json:
        show(told, rows, columns, as_json)


def table(rows: Iterable[Mapping[str, Any]], columns: Mapping[str, str]) -> Table:
    from rich.table import Table
    from rich.text import Text

    made = Table(*columns.values(), box=None, pad_edge=False)
    for row in rows:
        # Text: users' names are not rich's markup.
        made.add_row(*(Text(text(name, row[name])) for name in columns))
    return made


def text(name: str, value: Any) -> str:
    """As a person reads it. What users chose acts on no terminal."""
    if value is None:
        return "-"
    if name.endswith(("_at", "_since")):
        return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return escaped(str(value))
