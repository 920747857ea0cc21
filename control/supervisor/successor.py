"""The next process of a child, which loads its code while the one before still does its work.

Loading is the longest part of control's start, and nobody is let in meanwhile. So it is over before the one before
ends; and code that does not load replaces none that does.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
from collections.abc import Callable
from contextlib import suppress

from control.clock import Clock

LOADING = 15.0  # seconds that the code may take to load
LOADED = b"l"
BEGIN = b"b"


class Successor:
    """Tells over a socket that it has loaded, and waits there until it may begin."""

    def __init__(self, start: Callable[[int], subprocess.Popen[bytes]], clock: Clock) -> None:
        """`start` hands the descriptor on: its process passes that to `wait`. Raises OSError."""
        self._clock = clock
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._socket.setblocking(False)
            try:
                self._process = start(theirs.fileno())
            except OSError:
                self._socket.close()
                raise

    async def loaded(self) -> bool:
        """False if it ends before, or takes longer than it may. Then it is gone."""
        said = b""
        try:
            with suppress(TimeoutError, ConnectionResetError):
                async with self._clock.within(LOADING):
                    said = await asyncio.get_running_loop().sock_recv(self._socket, 1)
        finally:
            if said != LOADED:
                self.discard()
        return said == LOADED

    def begin(self) -> subprocess.Popen[bytes]:
        """Has it do its work, unless it has ended. Returns its process."""
        with self._socket, suppress(BrokenPipeError, ConnectionResetError):
            self._socket.send(BEGIN)
        return self._process

    def discard(self) -> None:
        """Ends it."""
        self._socket.close()
        self._process.kill()
        self._process.wait()


def wait(descriptor: int) -> bool:
    """In the process itself, once it has loaded. False if it is not to begin at all."""
    with socket.socket(fileno=descriptor) as supervisor:
        try:
            supervisor.send(LOADED)
            return supervisor.recv(1) == BEGIN
        except (BrokenPipeError, ConnectionResetError):
            return False
