"""A wall clock for a whole node that a test can set, by libfaketime; what only grows is left alone."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from control.supervisor import nginx

LIBRARY = "*/faketime/libfaketime.so.1"
# nginx takes all variables away from its workers but those that it is told to leave.
NGINX = """#!/bin/bash
exec {nginx} "${{@:1:$#-1}}" "${{@: -1}} env FAKETIME_TIMESTAMP_FILE;"
"""


class WallClock:
    """`variables` put a process and its children under it."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "offset"
        self.set(0)
        program = folder / "nginx"
        program.write_text(NGINX.format(nginx=nginx.program()))
        program.chmod(0o755)
        self.variables = {
            "LD_PRELOAD": str(next(Path("/usr/lib").glob(LIBRARY))),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
        }

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
