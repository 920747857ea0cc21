"""The command that moves a node's data."""

from __future__ import annotations

from typing import Annotated

import typer

from control.cli import terminal
from control.cli.terminal import Failed, Json

Url = Annotated[str, typer.Argument(help="An empty one: postgresql://user:password@host/name", metavar="URL")]

app = typer.Typer()


@app.command()
def migrate(url: Url, as_json: Json = False) -> None:
    """Move the data of a node that is stopped to another database."""
    settings = terminal.settings()
    from sqlalchemy.exc import DBAPIError

    from control.storage.engine import Unreachable
    from control.storage.move import MoveError, move
    from control.supervisor import folders

    with folders.locked(settings):  # or a node that runs would write on
        try:
            rows = move(settings.database, url, _nothing if as_json else print)
        except (MoveError, Unreachable, ValueError) as failure:
            raise Failed(str(failure)) from None
        except DBAPIError as failure:  # which would show the rows that it could not write
            raise Failed(str(failure.orig).splitlines()[0]) from None
    text = f"Moved: {rows} rows. Start the node with QPLUS_DATABASE_URL set to that address; keys/ stays where it is."
    terminal.tell(text, {"rows": rows}, as_json)


def _nothing(text: str) -> None:
    pass
