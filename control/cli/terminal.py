"""What commands have in common: how they speak. JSON or text on standard output, errors as a line on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from control.cli.direct import settings
from control.cli.failures import Failed

__all__ = ["Failed", "Json", "settings", "tell", "working"]

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


@contextmanager
def working(what: str, as_json: bool) -> Iterator[None]:
    """Shows on a terminal that something goes on."""
    if as_json or not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(f"{what} …"):
        yield


def tell(text: str, facts: Mapping[str, Any], as_json: bool) -> None:
    """What came of a command: `text` for people, `facts` for programs."""
    print(json.dumps(facts, ensure_ascii=False) if as_json else text, flush=True)
