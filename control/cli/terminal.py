"""What commands have in common: how they speak. JSON or text on standard output, errors as a line on standard error."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from control.cli.direct import settings
from control.cli.failures import Failed

__all__ = ["Failed", "Json", "settings", "tell"]

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def tell(text: str, facts: Mapping[str, Any], as_json: bool) -> None:
    """What came of a command: `text` for people, `facts` for programs."""
    print(json.dumps(facts, ensure_ascii=False) if as_json else text, flush=True)
