"""Every command in one table, by the module that has it."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Annotated

import typer

from control import __version__

# Of these modules only the one that is needed is imported.
COMMANDS = {
    "run": "processes",
    "serve": "processes",
    "upgrade": "processes",
    "ready": "processes",
    "drain": "sharing",
    "make-keys": "sharing",
    "migrate": "moving",
    "doctor": "doctor",
    "backup": "saving",
    "restore": "saving",
    "rotate-key": "rotating",
    "user": "user",
    "room": "room",
    "operator": "operator",
    "limit": "limiting",
    "top": "top",
    "explain": "explaining",
    "record": "explaining",
}


def program(given: Sequence[str]) -> typer.Typer:
    """With the commands of the module that `given` asks for; where it is not clear which, with all."""
    made = typer.Typer(
        help="A control plane for live streaming over nginx-rtmp.",
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,  # they print local variables, and those hold secrets
    )
    made.callback()(_options)
    asked = COMMANDS.get(given[0]) if given else None
    for module in dict.fromkeys([asked] if asked else COMMANDS.values()):
        made.add_typer(import_module(f"control.cli.{module}").app)
    return made


def _print_version(asked: bool) -> None:
    if asked:
        print(f"qplus {__version__}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    pass
