"""The command line: `run` and `upgrade` for people, `serve` for the supervisor and for containers, `ready` for health
checks."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace

from control import __version__
from control.settings import SettingError, Settings, from_env


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        settings = from_env(os.environ)
    except SettingError as failure:
        print(f"qplus: {failure}", file=sys.stderr)
        return 2
    from control.ops import logs
    from control.ops.security_log import SecurityLog
    from control.supervisor.errors import StartError

    logs.configure(settings, [SecurityLog(settings.data_dir / "log")] if options.command is _serve else [])
    try:
        status: int = options.command(settings, options)
    except StartError as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 1
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="qplus", description="A control plane for live streaming over nginx-rtmp.")
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="a whole node: control, guard, rtmp nginx and web nginx")
    run.set_defaults(command=_run)
    upgrade = commands.add_parser("upgrade", help="have the running node load new code; no stream is cut")
    upgrade.set_defaults(command=_upgrade)
    serve = commands.add_parser("serve", help="control alone, on sockets of its own or those its parent opened")
    serve.add_argument("--internal-fd", type=int, help="where nginx's callbacks come in")
    serve.add_argument("--public-fd", type=int, help="where the web nginx comes in")
    serve.add_argument("--after-fd", type=int, help="where it says that its code is loaded, and hears when to begin")
    serve.set_defaults(command=_serve)
    moved = commands.add_parser("migrate-to", help="move the data of a node that is stopped to another database")
    moved.add_argument("url", help="an empty one: postgresql://user:password@host/name")
    moved.set_defaults(command=_migrate_to)
    keys = commands.add_parser("make-keys", help="make the signing keys where there are none: nodes share them")
    keys.set_defaults(command=_make_keys)
    drain = commands.add_parser("drain", help="have nobody new sent to this node, of several; who is there stays")
    drain.add_argument("--undo", action="store_true", help="have them sent here again")
    drain.set_defaults(command=_drain)
    ready = commands.add_parser("ready", help="exit code 0 if this node's control is ready, 1 and why not")
    ready.set_defaults(command=_ready)
    return parser


def _run(settings: Settings, options: argparse.Namespace) -> int:
    from control.supervisor import supervisor

    return supervisor.run(settings)


def _upgrade(settings: Settings, options: argparse.Namespace) -> int:
    from control.supervisor import upgrade

    upgrade.run(settings)
    print("Upgraded: a new control serves, and every stream and viewer is still there.")
    return 0


def _serve(settings: Settings, options: argparse.Namespace) -> int:
    from control.supervisor import folders, listeners

    # Who runs its nginx says how many there are: a supervisor does, but for one of release 0.1, which has one.
    settings = replace(settings, rtmp_workers=settings.rtmp_workers or 1)
    given = options.internal_fd, options.public_fd
    if given != (None, None) and None in given:
        print("qplus: --internal-fd and --public-fd are given together or not at all", file=sys.stderr)
        return 2
    with listeners.own(settings) if None in given else listeners.inherited(*given) as (internal, public):
        # Imported here: the supervisor needs none of what control is made of, and is up before it. A control that is
        # alone listens already, so connections wait meanwhile, and are not refused.
        from control.live.nodes import OtherKeys
        from control.serve import serve
        from control.storage.engine import Unreachable
        from control.storage.integrity import Unusable
        from control.supervisor import successor

        if options.after_fd is not None and not successor.wait(options.after_fd):
            return 0
        status = 0
        try:
            serve(folders.spelled_out(settings), internal, public)
        except* (Unusable, OtherKeys) as failures:  # alone, or out of the group of what was open already
            print(f"error: {_first(failures)}", file=sys.stderr)
            status = os.EX_CONFIG  # no new try will help
        except* Unreachable as failures:
            print(f"error: {_first(failures)}", file=sys.stderr)
            status = os.EX_TEMPFAIL
    return status


def _migrate_to(settings: Settings, options: argparse.Namespace) -> int:
    from sqlalchemy.exc import DBAPIError

    from control.storage.engine import Unreachable
    from control.storage.move import MoveError, move
    from control.supervisor import folders

    with folders.locked(settings):  # or a node that runs would write on
        try:
            rows = move(settings.database, options.url, print)
        except (MoveError, Unreachable, ValueError) as failure:
            print(f"error: {failure}", file=sys.stderr)
            return 1
        except DBAPIError as failure:  # which would show the rows that it could not write
            print(f"error: {str(failure.orig).splitlines()[0]}", file=sys.stderr)
            return 1
    print(f"Moved: {rows} rows. Start the node with QPLUS_DATABASE_URL set to that address; keys/ stays where it is.")
    return 0


def _make_keys(settings: Settings, options: argparse.Namespace) -> int:
    from control.access.key_files import stored
    from control.entropy import SystemEntropy

    for name in ("tickets", "rooms"):
        stored(settings.data_dir / "keys" / name, SystemEntropy())
    return 0


def _drain(settings: Settings, options: argparse.Namespace) -> int:
    from control.live.nodes import drain
    from control.storage.engine import Unreachable, engine_of

    if not settings.shared_by:
        print("error: this node is alone: QPLUS_NODE_ADDRESS is not set", file=sys.stderr)
        return 1
    url = settings.database
    try:
        done = engine_of(url).migrating(url, lambda connection: drain(connection, settings.node, not options.undo))
    except Unreachable as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 1
    if not done:
        print(f"error: there is no node {settings.node}", file=sys.stderr)
        return 1
    print("Taken back." if options.undo else "Within seconds /accepts answers 503. Who is there stays, and may leave.")
    return 0


def _first(failures: BaseException) -> BaseException:
    while isinstance(failures, BaseExceptionGroup):
        failures = failures.exceptions[0]
    return failures


def _ready(settings: Settings, options: argparse.Namespace) -> int:
    from control.supervisor import probe

    problem = probe.problem(settings.internal_socket)
    if problem:
        print(f"not ready: {problem}", file=sys.stderr)
    return 1 if problem else 0
