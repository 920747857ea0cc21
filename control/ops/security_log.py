"""The security log: who came in, who was refused and what was changed, as JSON lines in files of their own.

The other log may turn over within minutes of an attack; this one is written by no stream and by no error. Refusals, of
which a stranger can cause any number, have files apart: they flush nothing of the rest.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

import structlog

EVENTS = frozenset(
    {
        "account deleted",
        "code sent",
        "link sent",
        "login",
        "logout",
        "logout everywhere",
        "message deleted",
        "order carried out",
        "password changed",
        "session ended",
        "user banned",
        "user muted",
        "user unbanned",
        "user unmuted",
        "viewer kicked",
    }
)
REFUSALS = frozenset({"limit reached", "login refused", "publish refused", "refusals left out"})
SIZE, FILES = 10 * 2**20, 10  # bytes of a file, and how many there are of each kind: 200 MiB at most


class SecurityLog:
    """A processor of log lines. Raises nothing: on a full disk a line is lost, and no client refused."""

    def __init__(self, folder: Path) -> None:
        self._events, self._refusals = RotatedFile(folder / "security.jsonl"), RotatedFile(folder / "refusals.jsonl")

    def __call__(self, logger: object, method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        for file, names in ((self._events, EVENTS), (self._refusals, REFUSALS)):
            if event["event"] in names:
                with suppress(OSError):
                    # As ASCII: nobody's terminal acts on a line of it.
                    file.write(json.dumps(event, default=str).replace("\x7f", "\\u007f").encode() + b"\n")
        return event

    def close(self) -> None:
        self._events.close()
        self._refusals.close()


class RotatedFile:
    """For its owner alone, with FILES - 1 older ones beside it. Raises OSError."""

    def __init__(self, path: Path) -> None:
        self._file = path
        self._descriptor = -1
        self._size = 0

    def write(self, line: bytes) -> None:
        if self._descriptor >= 0 and self._size + len(line) > SIZE:
            self.close()
            self._rotate()
        if self._descriptor < 0:
            self._open()
        self._size += os.write(self._descriptor, line)

    def _open(self) -> None:
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._size = os.fstat(self._descriptor).st_size

    def _rotate(self) -> None:
        """`security.jsonl` becomes `security.jsonl.1`, and so on; the oldest goes."""
        names = [self._file, *(self._file.with_name(f"{self._file.name}.{number}") for number in range(1, FILES))]
        for older, newer in zip(reversed(names[1:]), reversed(names[:-1]), strict=True):
            if newer.exists():
                newer.replace(older)

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
