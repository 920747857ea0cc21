"""Commands about rooms."""

from __future__ import annotations

from typing import Annotated

import typer

from control.cli import listings, terminal
from control.cli.asking import ask
from control.cli.terminal import Json

Room = Annotated[int, typer.Argument(help="The number of a room.")]

app = typer.Typer()
group = typer.Typer(no_args_is_help=True, help="Find rooms, see who sends and watches, end a broadcast, close a room.")
app.add_typer(group, name="room")

NOW = {"viewers": "viewers", "live_since": "live since"}


@group.command("list")
def list_rooms(
    text: Annotated[str, typer.Argument(help="A part of the name, or a room's number.")] = "", as_json: Json = False
) -> None:
    """List rooms: the newest, or those that are looked for; 100 at most."""
    found = ask(terminal.settings(), "find-rooms", text=text)
    listings.show(found, found["rooms"], {"room": "room", "name": "name", "account": "owner", **NOW}, as_json)


@group.command()
def show(room: Room, as_json: Json = False) -> None:
    """Show a room as it is now."""
    told = ask(terminal.settings(), "show-room", room=room)
    publisher = told["publisher"]
    listings.show_one(told, [publisher] if publisher else [], listings.PUBLISHER, as_json)


@group.command()
def end(room: Room, as_json: Json = False) -> None:
    """Drop a room's publisher. Most encoders come back at once: `close` keeps them out."""
    told = ask(terminal.settings(), "end-broadcast", room=room)
    terminal.tell("Ended.", told, as_json)


@group.command()
def close(
    room: Room,
    minutes: Annotated[int, typer.Option(min=1, max=525600, help="For how long.")] = 60,
    as_json: Json = False,
) -> None:
    """Close a room: its broadcast ends, and none begins for a time. Its owner can open it again."""
    told = ask(terminal.settings(), "close-room", room=room, seconds=60 * minutes)
    terminal.tell(f"Closed for {minutes} minutes.", told, as_json)


@group.command("open")
def reopen(room: Room, as_json: Json = False) -> None:
    """Open a room that was closed."""
    told = ask(terminal.settings(), "open-room", room=room)
    terminal.tell("Open.", told, as_json)
