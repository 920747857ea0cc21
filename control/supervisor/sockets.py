"""Sockets and ports that are settled before any child runs."""

from __future__ import annotations

import errno
import os
import resource
import socket
import time
from pathlib import Path

from control.settings import Settings
from control.supervisor import folders
from control.supervisor.errors import StartError

BACKLOG = 2048  # connections that wait while a child restarts
PATIENCE = 2.0  # seconds: the children of a supervisor that was killed may just be ending


def listen(path: Path) -> socket.socket:
    """A listening unix socket that we and nginx's workers may use."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    user = folders.worker()
    if user:
        os.chown(path, 0, user.pw_gid)
    path.chmod(0o660 if user else 0o600)
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


def listen_rtmp(settings: Settings, patience: float = PATIENCE) -> tuple[socket.socket, socket.socket]:
    """What the rtmp nginx listens on: for publishers and players, and on loopback for the push to its HLS application.

    Raises StartError, naming the port, when one of them, or the web nginx's, cannot be had within `patience` seconds.
    """
    if settings.http_port == settings.rtmp_port:
        raise StartError(f"HTTP_PORT and RTMP_PORT are both {settings.http_port}")
    _listen_tcp("HTTP_PORT", "", settings.http_port, patience).close()
    public = _listen_tcp("RTMP_PORT", "", settings.rtmp_port, patience)
    return public, _listen_tcp("the HLS port", "127.0.0.1", 0, patience)


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


def _listen_tcp(name: str, host: str, port: int, patience: float) -> socket.socket:
    deadline = time.monotonic() + patience
    while True:
        listener = socket.socket()
        problem = _try_to_listen(listener, host, port)
        if not problem:
            return listener
        listener.close()
        if problem != errno.EADDRINUSE:
            raise StartError(f"{name} {port}: {os.strerror(problem)}")
        if time.monotonic() >= deadline:
            raise StartError(f"port {port} is taken by another program; choose another: make run {name}=...")
        time.sleep(0.05)


def _try_to_listen(listener: socket.socket, host: str, port: int) -> int:
    """What was wrong, as an errno; 0 for nothing."""
    # nginx sets none of these on a listener that it inherits.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setblocking(False)  # or a connection broken off before it was accepted would halt nginx
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OverflowError:
        return errno.EINVAL
    except OSError as error:
        return error.errno or errno.EINVAL
    return 0
