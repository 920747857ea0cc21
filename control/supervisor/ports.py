"""The TCP ports of a node, opened before any child runs. So newcomers wait for one that restarts, and none is refused.

nginx takes over a listener whose address is that of a `listen` in its file.
"""

from __future__ import annotations

import errno
import json
import os
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import NamedTuple

from control.settings import Settings
from control.supervisor.errors import StartError
from control.supervisor.sockets import BACKLOG

PATIENCE = 2.0  # seconds: the children of a supervisor that was killed may just be ending
HANDED_ON = "NODE_LISTENERS"  # descriptors of listeners that are open, as JSON
INSIDE = ("the relay port", "the HLS port")
LOOPBACK, ANY, ANY_IPV6 = "127.0.0.1", "0.0.0.0", "::"


class RtmpPorts(NamedTuple):
    """Of one rtmp nginx."""

    clients: int
    """On loopback, where the guard connects to; where there is no guard, clients' own."""
    relay: int
    """On loopback, for the other rtmp nginx of the node."""
    hls: int
    """Likewise, for the push to its HLS application."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Each nginx's listeners."""

    web: tuple[socket.socket, ...]
    guard: tuple[socket.socket, ...]
    """None where it is switched off."""
    rtmp: tuple[tuple[socket.socket, ...], ...]
    """Each worker's."""

    def handed_on(self) -> str:
        """For HANDED_ON in the environment of what this process becomes: it keeps them."""
        kinds = (self.web, self.guard, *self.rtmp)
        for listener in (each for kind in kinds for each in kind):
            listener.set_inheritable(True)
        return json.dumps([[listener.fileno() for listener in kind] for kind in kinds])

    def of_worker(self, number: int) -> RtmpPorts:
        """`number`: from 0."""
        first, *_, relay, hls = (int(listener.getsockname()[1]) for listener in self.rtmp[number])
        return RtmpPorts(first, relay, hls)


def has_ipv6() -> bool:
    """Whether this machine listens on IPv6 addresses."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind((ANY_IPV6, 0))
    except OSError:
        return False
    return True


@contextmanager
def opened(settings: Settings, patience: float = PATIENCE) -> Iterator[Ports]:
    """All of them, closed at the end; those that were handed on to this process, or new ones. Raises StartError, naming
    the port, when one cannot be had within `patience` seconds."""
    _require_different(settings)
    with ExitStack() as stack:
        if given := os.environ.pop(HANDED_ON, ""):
            web_fds, guard_fds, *rtmp_fds = json.loads(given)
            yield Ports(
                tuple(_held(stack, web_fds)),
                tuple(_held(stack, guard_fds)),
                tuple(tuple(_held(stack, each)) for each in rtmp_fds),
            )
            return

        def listen(name: str, port: int) -> tuple[socket.socket, ...]:
            hosts = (ANY, ANY_IPV6) if has_ipv6() else (ANY,)
            return tuple(stack.enter_context(_listen(name, host, port, patience)) for host in hosts)

        def inside(name: str) -> socket.socket:
            return stack.enter_context(_listen(name, LOOPBACK, 0, patience))

        web = listen("HTTP_PORT", settings.http_port)
        rtmp = listen("RTMP_PORT", settings.rtmp_port)
        if settings.has_tls:
            web += listen("QPLUS_HTTPS_PORT", settings.https_port)
        if not settings.has_guard:
            yield Ports(web, (), ((*rtmp, *map(inside, INSIDE)),))
            return
        if settings.has_tls:
            rtmp += listen("QPLUS_RTMPS_PORT", settings.rtmps_port)
        if settings.has_node_rtmp_port:
            rtmp += listen("QPLUS_NODE_RTMP_PORT", settings.node_rtmp_port)
        guarded = ("the guarded port", *INSIDE)
        yield Ports(web, rtmp, tuple(tuple(map(inside, guarded)) for _ in settings.workers))


def _require_different(settings: Settings) -> None:
    wanted = {"HTTP_PORT": settings.http_port, "RTMP_PORT": settings.rtmp_port}
    if settings.has_tls:
        wanted |= {"QPLUS_HTTPS_PORT": settings.https_port, "QPLUS_RTMPS_PORT": settings.rtmps_port}
    if settings.has_node_rtmp_port:
        wanted["QPLUS_NODE_RTMP_PORT"] = settings.node_rtmp_port
    for port in set(wanted.values()):
        names = [name for name, other in wanted.items() if other == port]
        if len(names) > 1:
            raise StartError(f"{' and '.join(names)} are both {port}")


def _held(stack: ExitStack, descriptors: Iterable[int]) -> Iterator[socket.socket]:
    return (stack.enter_context(socket.socket(fileno=each)) for each in descriptors)


def _listen(name: str, host: str, port: int, patience: float) -> socket.socket:
    deadline = time.monotonic() + patience
    while True:
        listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
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
    if listener.family == socket.AF_INET6:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OverflowError:
        return errno.EINVAL
    except OSError as error:
        return error.errno or errno.EINVAL
    return 0
