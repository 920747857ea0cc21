"""Commands about limits."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from control.cli import terminal
from control.cli.asking import ask
from control.cli.terminal import Failed, Json
from control.cli.user import User, named

USUAL = "usual"
NAMES = ("viewers", "kbps", "height", "hours")

Limit = Annotated[str, typer.Option(help="A number, 0 for no limit, or `usual`: as for all.", metavar="NUMBER")]

app = typer.Typer()


@app.command()
def limit(
    user: User, viewers: Limit = "", kbps: Limit = "", height: Limit = "", hours: Limit = "", as_json: Json = False
) -> None:
    """Set what a user's room may have, or show it: viewers, kbit/s, height of the picture, hours a day."""
    given = dict(zip(NAMES, (viewers, kbps, height, hours), strict=True))
    values = {name: _value(name, text) for name, text in given.items() if text}
    order = "limit" if values else "show-limits"
    told = ask(terminal.settings(), order, user=named(user), **values)
    lines = [f"{name}: {_text(told['own'][name], told['usual'][name])}" for name in NAMES]
    terminal.tell("\n".join(lines), told, as_json)


def _value(name: str, text: str) -> Any:
    if text == USUAL:
        return USUAL
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Failed(f"--{name}: a number, or {USUAL}")
    return int(text)


def _text(own: int | None, usual: int) -> str:
    number = usual if own is None else own
    return f"{number or 'no limit'}{' (as for all)' if own is None else ''}"
