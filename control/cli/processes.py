"""Commands that start and renew a node's processes, and ask how it is."""

from __future__ import annotations

from typing import Annotated

import typer

from control.cli import direct, terminal
from control.cli.terminal import Json

Descriptor = Annotated[int | None, typer.Option(show_default=False)]

app = typer.Typer()


@app.command()
def run() -> None:
    """Run a whole node: control, guard, rtmp nginx and web nginx."""
    settings = terminal.settings()
    from control.supervisor import supervisor

    raise typer.Exit(supervisor.run(settings))


@app.command()
def serve(internal_fd: Descriptor = None, public_fd: Descriptor = None, after_fd: Descriptor = None) -> None:
    """Run control alone, on sockets of its own or those that its parent opened.

    --internal-fd is where nginx's callbacks come in, --public-fd where the web nginx does; over --after-fd it says that
    its code is loaded, and hears when to begin.
    """
    raise typer.Exit(direct.serve(internal_fd, public_fd, after_fd))


@app.command()
def upgrade(as_json: Json = False) -> None:
    """Have the running node load new code; no stream is cut."""
    settings = terminal.settings()
    from control.supervisor import upgrade

    with terminal.working("loading the new code", as_json):
        upgrade.run(settings)
    text = "Upgraded: a new control serves, and every stream and viewer is still there."
    terminal.tell(text, {"upgraded": True}, as_json)


@app.command()
def ready(as_json: Json = False) -> None:
    """Exit code 0 if this node's control is ready; 1, and why not."""
    raise typer.Exit(direct.ready(as_json))
