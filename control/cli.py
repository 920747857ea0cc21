"""The command line: `run` for people, `serve` for the supervisor."""

from __future__ import annotations

import argparse
import os
import socket
import sys
from collections.abc import Sequence

from control.settings import SettingError, Settings, from_env


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        settings = from_env(os.environ)
    except SettingError as failure:
        print(f"qplus: {failure}", file=sys.stderr)
        return 2
    from control.ops import logs

    logs.configure(settings)
    status: int = options.command(settings, options)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="qplus", description="A control plane for live streaming over nginx-rtmp.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="a whole node: control, the rtmp nginx and the web nginx")
    run.set_defaults(command=_run)
    serve = commands.add_parser("serve", help="control alone, on sockets opened by its parent")
    serve.add_argument("--internal-fd", type=int, required=True, help="where nginx's callbacks come in")
    serve.add_argument("--public-fd", type=int, required=True, help="where the web nginx comes in")
    serve.set_defaults(command=_serve)
    return parser


def _run(settings: Settings, options: argparse.Namespace) -> int:
    from control.ops import supervisor

    return supervisor.run(settings)


def _serve(settings: Settings, options: argparse.Namespace) -> int:
    # Imported here: the supervisor needs none of what control is made of, and is up before it.
    from control.serve import serve

    serve(settings, socket.socket(fileno=options.internal_fd), socket.socket(fileno=options.public_fd))
    return 0
