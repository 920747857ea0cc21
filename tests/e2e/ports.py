"""Ports that no process has, and that the kernel hands to no outgoing connection before a node binds them."""

from __future__ import annotations

import os
import random
import socket
from contextlib import ExitStack, suppress

BELOW_EPHEMERAL = range(20000, 32000)


def free_ports(count: int) -> list[int]:
    """Held all at once while they are picked, so that no two are the same; those of another worker are never ours."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    ours = BELOW_EPHEMERAL[worker :: int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))]
    with ExitStack() as held:
        found: list[int] = []
        for port in random.sample(ours, len(ours)):
            with suppress(OSError):
                held.enter_context(socket.socket()).bind(("0.0.0.0", port))
                found.append(port)
            if len(found) == count:
                return found
    raise OSError("no free ports")
