"""Commands about who may enter the console."""

from __future__ import annotations

import io

import segno
import typer

from control.cli import listings, terminal
from control.cli.asking import ask
from control.cli.terminal import Json
from control.cli.user import User, named

app = typer.Typer()
group = typer.Typer(no_args_is_help=True, help="Say who may enter the console, /console.")
app.add_typer(group, name="operator")


@group.command()
def add(user: User, as_json: Json = False) -> None:
    """Let a user enter the console, and show the secret of their one-time codes, this once. Again: a new one."""
    told = ask(terminal.settings(), "add-operator", user=named(user))
    code = io.StringIO()
    segno.make(told["uri"]).terminal(code, compact=True)
    text = f"{code.getvalue()}\n{told['uri']}\nScan it with an app for one-time codes, log in, and open /console."
    terminal.tell(text, told, as_json)


@group.command()
def remove(user: User, as_json: Json = False) -> None:
    """Let a user enter the console no more. They are out at once."""
    told = ask(terminal.settings(), "remove-operator", user=named(user))
    terminal.tell(f"{told['account']} is no operator any more.", told, as_json)


@group.command("list")
def list_operators(as_json: Json = False) -> None:
    """List who may enter the console."""
    found = ask(terminal.settings(), "find-operators")
    listings.show(found, found["operators"], {"user": "user", "account": "account", "since": "since"}, as_json)
