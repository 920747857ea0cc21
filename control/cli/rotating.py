"""The command that changes keys."""

from __future__ import annotations

import os
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from control.cli import terminal
from control.cli.terminal import Failed, Json

if TYPE_CHECKING:
    from control.settings import Settings

app = typer.Typer()


class Which(StrEnum):
    TICKETS = "tickets"
    ROOMS = "rooms"


@app.command("rotate-key")
def rotate_key(
    which: Annotated[Which, typer.Argument(help="tickets: what signs them; rooms: what seals rooms' passwords.")],
    drop_old: Annotated[
        bool, typer.Option("--drop-old", help="Take the old ones out instead, once nothing needs them.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Put a new key before the old ones, and have the running node use it; no stream is cut."""
    settings = terminal.settings()
    from control.access import key_files
    from control.entropy import SystemEntropy
    from control.storage.integrity import Unusable

    file = settings.data_dir / "keys" / which
    if not file.exists():
        raise Failed(f"there is no {file}: `qplus run` makes it, or `qplus make-keys`")
    try:
        if drop_old:
            _require_unneeded(settings, which, file)
            keys = key_files.without_old(file)
        else:
            keys = key_files.with_new(file, SystemEntropy())
    except Unusable as failure:
        raise Failed(str(failure)) from None
    what = "Taken out: what was before the newest key." if drop_old else "A new key is first; the old ones still hold."
    told = {"key": str(which), "keys": keys, "restarted": _restarted(settings, as_json)}
    if settings.shared_by:
        what += f" Copy {file} to all nodes, then restart them all: they need the same keys."
    elif told["restarted"]:
        what += " The node uses it."
    terminal.tell(what, told, as_json)


def _restarted(settings: Settings, as_json: bool) -> bool:
    """Whether a node ran, and has loaded the keys. Of several nodes each needs the file first."""
    from control.supervisor import folders, upgrade

    if settings.shared_by or folders.supervised(settings) is None:
        return False
    with terminal.working("restarting control", as_json):
        upgrade.run(settings)
    return True


def _require_unneeded(settings: Settings, which: Which, file: Path) -> None:
    """Raises Failed while an old key is of use."""
    from control.access.key_files import names
    from control.access.sealed_by import sealed_by_others
    from control.storage.engine import Unreachable

    if which is Which.TICKETS:
        left = settings.ticket_seconds - (time.time() - os.stat(file).st_mtime)
        if left > 0:
            raise Failed(f"tickets that an old key signed are good for {left / 3600:.1f} hours more: wait for that")
        return
    try:
        rooms = sealed_by_others(settings.database, names(file)[0])
    except Unreachable as failure:
        raise Failed(str(failure)) from None
    if rooms:
        raise Failed(f"{rooms} rooms' passwords are sealed with an old key: wait for `passwords resealed` in the log")
