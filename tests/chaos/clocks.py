"""A wall clock for a whole node that a test can set, by libfaketime; what only grows is left alone."""

from __future__ import annotations

import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from control.settings import RUNTIME
from control.supervisor import nginx, privileges
from tests.e2e.conftest import Node

LIBRARY = "*/faketime/libfaketime.so.1"
# nginx takes all variables away from its workers but those that it is told to leave.
NGINX = """#!/bin/bash
exec {nginx} "${{@:1:$#-1}}" "${{@: -1}} env FAKETIME_TIMESTAMP_FILE;"
"""


class WallClock:
    """`sets` puts a node under it, before it starts."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "offset"
        self.set(0)
        program = folder / "nginx"
        program.write_text(NGINX.format(nginx=nginx.program()))
        program.chmod(0o755)
        self._variables = {
            "LD_PRELOAD": str(next(Path("/usr/lib").glob(LIBRARY))),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
        }

    def sets(self, node: Node) -> None:
        """Where root runs the tests, the node is its user's from the start: libfaketime's semaphore, named after the
        process, would be root's and closed to the user that this process becomes."""
        if os.geteuid() != 0:
            node.env |= self._variables
            return
        user = pwd.getpwnam(node.settings.user)
        privileges.hand_over(node.settings, user)
        variables = [f"{name}={value}" for name, value in self._variables.items()]
        node.env |= {"XDG_RUNTIME_DIR": str(RUNTIME)}
        node.program = [*privileges.becoming(user, read_any=True), "env", *variables, *node.program]

    def set(self, seconds: int) -> None:
        """So far from the right time."""
        new = self._file.with_suffix(".new")
        new.write_text(f"{seconds:+}\n")
        new.replace(self._file)


@contextmanager
def wall_clock() -> Iterator[WallClock]:
    folder = Path(tempfile.mkdtemp(prefix="qplus-clock-"))
    folder.chmod(0o755)  # nginx's workers have to read it
    try:
        yield WallClock(folder)
    finally:
        shutil.rmtree(folder)
