"""The command that shows what goes on, again and again."""

from __future__ import annotations

import json
import time
from typing import Annotated, Any

import typer

from control.cli import listings, terminal
from control.cli.asking import ask
from control.cli.terminal import Json

COLUMNS = {
    "room": "room",
    "name": "name",
    "viewers": "viewers",
    "rate": "Mbit/s",
    "picture": "picture",
    "fps": "fps",
    "encoder": "encoder",
    "live_since": "live since",
}

app = typer.Typer()


@app.command()
def top(
    rows: Annotated[int, typer.Option(min=1, max=100, help="How many rooms.")] = 20,
    every: Annotated[float, typer.Option(min=0.2, help="Seconds between two looks.")] = 2.0,
    once: Annotated[bool, typer.Option("--once", help="Look once, and end.")] = False,
    as_json: Json = False,
) -> None:
    """Show the rooms with the most viewers, live. With --json one line for each look."""
    settings = terminal.settings()
    if as_json:
        while True:
            print(json.dumps(ask(settings, "live-rooms", most=rows), ensure_ascii=False), flush=True)
            if once:
                return
            time.sleep(every)
    from rich.console import Console, Group
    from rich.live import Live

    def look() -> Group:
        told = ask(settings, "live-rooms", most=rows)
        head = f"{told['live']} rooms live, {told['viewers']} viewers; node {told['node']}"
        return Group(head, listings.table(map(row, told["rooms"]), COLUMNS))

    if once:
        return Console().print(look())
    with Live(look(), screen=True, auto_refresh=False) as shown:
        try:
            while True:
                time.sleep(every)
                shown.update(look(), refresh=True)
        except KeyboardInterrupt:
            return


def row(told: dict[str, Any]) -> dict[str, Any]:
    """One room's line; of one that another node sends, what is known here."""
    publisher = told["publisher"]
    if publisher is None:
        nodes = f"at {', '.join(told['elsewhere'])}" if told["elsewhere"] else None
        return told | {"rate": None, "picture": None, "fps": None, "encoder": nodes}
    return told | {
        "rate": f"{publisher['bits_per_second'] / 1e6:.1f}",
        "picture": f"{publisher['width']}x{publisher['height']}",
        "fps": f"{publisher['frames_per_second']:.0f}",
        "encoder": publisher["encoder"],
    }
