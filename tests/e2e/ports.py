"""Ports that no process has, and that the kernel hands to no outgoing connection before a node binds them."""

from __future__ import annotations

import random
import socket
from contextlib import ExitStack, suppress

BELOW_EPHEMERAL = range(20000, 32000)


def free_ports(count: int) -> list[int]:
    """Held all at once while they are picked, so that no two are the same."""
    with ExitStack() as held:
        found: list[int] = []
        for port in random.sample(BELOW_EPHEMERAL, len(BELOW_EPHEMERAL)):
            with suppress(OSError):
                held.enter_context(socket.socket()).bind(("0.0.0.0", port))
                found.append(port)
            if len(found) == count:
                return found
    raise OSError("no free ports")
