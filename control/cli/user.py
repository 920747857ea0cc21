"""Commands about users."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from control.cli import listings, terminal
from control.cli.asking import ask
from control.cli.terminal import Json

User = Annotated[str, typer.Argument(help="An account, or the number of a user.")]

app = typer.Typer()
group = typer.Typer(no_args_is_help=True, help="Find users, sign them out, have them choose a new password.")
app.add_typer(group, name="user")


@group.command("list")
def list_users(
    text: Annotated[str, typer.Argument(help="How the account or the e-mail address begins, or a phone.")] = "",
    as_json: Json = False,
) -> None:
    """List users: the newest, or those that are looked for; 100 at most."""
    found = ask(terminal.settings(), "find-users", text=text)
    columns = {"user": "user", "account": "account", "nick_name": "name", "phone": "phone", "room": "room"}
    listings.show(found, found["users"], columns, as_json)


@group.command()
def show(user: User, as_json: Json = False) -> None:
    """Show a user, and where they are logged in."""
    told = ask(terminal.settings(), "show-user", user=named(user))
    columns = {"begun_at": "since", "used_at": "last used", "address": "from", "client": "by"}
    listings.show_one(told, told["logins"], columns, as_json)


@group.command("sign-out")
def sign_out(user: User, as_json: Json = False) -> None:
    """End all logins of a user. What they watch goes on until its ticket ends."""
    told = ask(terminal.settings(), "sign-out", user=named(user))
    terminal.tell(f"Signed out: {told['ended']} logins have ended.", told, as_json)


@group.command("send-code")
def send_code(user: User, as_json: Json = False) -> None:
    """Send a code to the user's phone, by which they choose a new password. Nobody else is told it."""
    told = ask(terminal.settings(), "send-code", user=named(user))
    terminal.tell("Sent to the user's phone; good for 10 minutes.", told, as_json)


@group.command()
def block(user: User, as_json: Json = False) -> None:
    """Let a user in no more: logins, broadcast and tickets end, and no new password helps."""
    told = ask(terminal.settings(), "block-user", user=named(user))
    terminal.tell("Blocked.", told, as_json)


@group.command()
def unblock(user: User, as_json: Json = False) -> None:
    """Let a user in again, with the password that they had."""
    told = ask(terminal.settings(), "unblock-user", user=named(user))
    terminal.tell("Let in again.", told, as_json)


def named(user: str) -> Any:
    """As orders take it: a number, or an account."""
    return int(user) if user.isascii() and user.isdigit() and len(user) < 11 else user
