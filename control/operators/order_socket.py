"""The unix socket over which orders come, found by the data folder alone: both of its ends."""

from __future__ import annotations

import http.client
import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

NAME = "orders.sock"
TIMEOUT = 30.0  # seconds that an order may take


class NotAnswered(Exception):
    """No control runs there, or it did not do it; the message tells a person why."""


@contextmanager
def listening(folder: Path) -> Iterator[socket.socket]:
    """For the node's user alone. Its file is left behind, and replaced by the next."""
    with _short(folder) as path, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        Path(path).unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            listener.bind(path)
        finally:
            os.umask(before)
        listener.listen()
        yield listener


def asked(folder: Path, order: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """What comes of an order. Raises NotAnswered."""
    with closing(_Connection(folder)) as connection:
        try:
            connection.request("POST", f"/order/{order}", json.dumps(given))
            answer = connection.getresponse()
            told: dict[str, Any] = json.loads(answer.read())
        except (FileNotFoundError, ConnectionRefusedError):
            raise NotAnswered(f"no node runs in {folder.parent}: start it first, or name its QPLUS_DATA_DIR") from None
        except PermissionError:
            raise NotAnswered(f"{folder.parent} is another user's: be that user, or root") from None
        except (OSError, ValueError, http.client.HTTPException) as failure:
            raise NotAnswered(f"control does not answer: {failure}") from None
    if answer.status != 200:
        raise NotAnswered(told.get("error", f"control answers {answer.status}"))
    return told


class _Connection(http.client.HTTPConnection):
    def __init__(self, folder: Path) -> None:
        super().__init__("control", timeout=TIMEOUT)
        self._folder = folder

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(TIMEOUT)
        with _short(self._folder) as path:
            self.sock.connect(path)


@contextmanager
def _short(folder: Path) -> Iterator[str]:
    """A path of the socket: a data folder's own may be longer than a socket's may be."""
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{NAME}"
    finally:
        os.close(descriptor)
