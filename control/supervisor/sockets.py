"""Unix sockets, and what the system allows of all kinds."""

from __future__ import annotations

import resource
import socket
from pathlib import Path

BACKLOG = 2048  # connections that wait while a child restarts


def listen(path: Path) -> socket.socket:
    """A listening unix socket that our user alone may use."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    path.chmod(0o600)
    listener.listen(BACKLOG)
    return listener


def raise_limit() -> None:
    """As many open sockets as the system lets us have, for us and our children: every connection is one or two."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def accepts(path: Path) -> bool:
    """Whether a process listens on this unix socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        return probe.connect_ex(str(path)) == 0


def free_port() -> int:
    """A loopback port that is free now; it may be taken by the time it is bound."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def host() -> str:
    """This machine's address as its network sees it, at a guess; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address kept for documentation (RFC 5737)
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])
