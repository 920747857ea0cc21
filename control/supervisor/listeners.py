"""Control's listening sockets: from a supervisor, or its own where none is over it, as in a container."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from control.settings import Settings
from control.supervisor import folders, sockets


@contextmanager
def own(settings: Settings) -> Iterator[tuple[socket.socket, socket.socket]]:
    """The internal one and the public one, with the data folder held meanwhile. Raises StartError when another control
    holds it, or a folder cannot be used.

    Their files are left behind: a connection is refused either way, and the next control replaces them.
    """
    with folders.locked(settings):
        folders.prepare_sockets(settings)
        sockets.raise_limit()
        with sockets.listen(settings.internal_socket) as internal, sockets.listen(settings.public_socket) as public:
            yield internal, public


@contextmanager
def inherited(internal: int, public: int) -> Iterator[tuple[socket.socket, socket.socket]]:
    """Those that a parent opened and holds, by their descriptors."""
    with socket.socket(fileno=internal) as internal_listener, socket.socket(fileno=public) as public_listener:
        yield internal_listener, public_listener
