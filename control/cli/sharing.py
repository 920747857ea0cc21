"""Commands for nodes that share a database."""

from __future__ import annotations

from typing import Annotated

import typer

from control.cli import terminal
from control.cli.terminal import Failed, Json

app = typer.Typer()


@app.command()
def drain(
    undo: Annotated[bool, typer.Option("--undo", help="Have them sent here again.")] = False, as_json: Json = False
) -> None:
    """Have nobody new sent to this node, of several; who is there stays."""
    settings = terminal.settings()
    from control.live.nodes import drain
    from control.storage.engine import Unreachable, engine_of

    if not settings.shared_by:
        raise Failed("this node is alone: QPLUS_NODE_ADDRESS is not set")
    url = settings.database
    try:
        done = engine_of(url).migrating(url, lambda connection: drain(connection, settings.node, not undo))
    except Unreachable as failure:
        raise Failed(str(failure)) from None
    if not done:
        raise Failed(f"there is no node {settings.node}")
    text = "Taken back." if undo else "Within seconds /accepts answers 503. Who is there stays, and may leave."
    terminal.tell(text, {"node": settings.node, "draining": not undo}, as_json)


@app.command("make-keys")
def make_keys(as_json: Json = False) -> None:
    """Make the signing keys where there are none: nodes share them."""
    settings = terminal.settings()
    from control.access.key_files import stored
    from control.entropy import SystemEntropy

    folder = settings.data_dir / "keys"
    names = ("tickets", "rooms")
    made = [name for name in names if not (folder / name).exists()]
    for name in names:
        stored(folder / name, SystemEntropy())
    terminal.tell(f"Made in {folder}: {', '.join(made) or 'nothing, they are there'}.", {"made": made}, as_json)
