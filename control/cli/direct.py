"""What programs start: control alone, and the question how it is. Nothing here needs typer."""

from __future__ import annotations

import json
import os
import socket
import sys
from contextlib import AbstractContextManager
from dataclasses import replace

from control.cli.failures import Misused
from control.settings import Settings, from_env


def settings(*, keeps_security_log: bool = False) -> Settings:
    """Those of the environment. From here on log lines have their shape. Raises SettingError."""
    read = from_env(os.environ)
    from control.ops import logs
    from control.ops.security_log import SecurityLog

    logs.configure(read, [SecurityLog(read.data_dir / "log")] if keeps_security_log else [])
    return read


def serve(internal_fd: int | None = None, public_fd: int | None = None, after_fd: int | None = None) -> int:
    """Until it is told to end. The first two are of listening sockets; without them it opens its own. Over the third it
    says that its code is loaded, and hears when to begin."""
    given = settings(keeps_security_log=True)
    from control.supervisor import folders

    # Who runs its nginx says how many there are: a supervisor does, but for one of release 0.1, which has one.
    given = replace(given, rtmp_workers=given.rtmp_workers or 1)
    with _listeners(given, internal_fd, public_fd) as (internal, public):
        # Imported here: the supervisor needs none of what control is made of, and is up before it. A control that is
        # alone listens already, so connections wait meanwhile, and are not refused.
        from control.live.nodes import OtherKeys
        from control.serve import serve
        from control.storage.engine import Unreachable
        from control.storage.integrity import Unusable
        from control.supervisor import successor

        if after_fd is not None and not successor.wait(after_fd):
            return 0
        status = 0
        try:
            serve(folders.spelled_out(given), internal, public)
        except* (Unusable, OtherKeys) as failures:  # alone, or out of the group of what was open already
            print(f"error: {_first(failures)}", file=sys.stderr)
            status = os.EX_CONFIG  # no new try will help
        except* Unreachable as failures:
            print(f"error: {_first(failures)}", file=sys.stderr)
            status = os.EX_TEMPFAIL
    return status


def ready(as_json: bool = False) -> int:
    given = settings()
    from control.supervisor import probe

    problem = probe.problem(given.internal_socket)
    if as_json:
        print(json.dumps({"ready": not problem, "problem": problem}))
    elif problem:
        print(f"not ready: {problem}", file=sys.stderr)
    return 1 if problem else 0


def _listeners(
    settings: Settings, internal: int | None, public: int | None
) -> AbstractContextManager[tuple[socket.socket, socket.socket]]:
    from control.supervisor import listeners

    if internal is None and public is None:
        return listeners.own(settings)
    if internal is None or public is None:
        raise Misused("--internal-fd and --public-fd are given together or not at all")
    return listeners.inherited(internal, public)


def _first(failures: BaseException) -> BaseException:
    while isinstance(failures, BaseExceptionGroup):
        failures = failures.exceptions[0]
    return failures
