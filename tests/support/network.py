"""Machines on one network that can be parted: a network namespace each, joined by a bridge."""

from __future__ import annotations

import itertools
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

NETWORK = "198.18.77"  # of a range that is for tests of networks (RFC 2544)
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Machine:
    """`enter`: what a command is prefixed with to run there."""

    host: str = "127.0.0.1"
    enter: Sequence[str] = ()


HERE = Machine()


class Network:
    """This one's address is `host`, which all machines reach whatever becomes of their way to each other."""

    host = f"{NETWORK}.1"

    def __init__(self) -> None:
        self._name = f"q{os.getpid()}"
        self._ports: list[str] = []

    def open(self) -> None:
        """Raises CalledProcessError where this user may not, or the system cannot."""
        ip("link", "add", self._name, "type", "bridge")
        ip("address", "add", f"{self.host}/24", "dev", self._name)
        ip("link", "set", self._name, "up")

    def machine(self) -> Machine:
        """Another one."""
        number = next(_numbers)
        name, host = f"{self._name}n{number}", f"{NETWORK}.{1 + number}"
        ip("netns", "add", name)
        self._ports.append(name)
        ip("link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name)
        ip("link", "set", name, "master", self._name, "up")
        ip("-n", name, "address", "add", f"{host}/24", "dev", "eth0")
        for device in ("eth0", "lo"):
            ip("-n", name, "link", "set", device, "up")
        return Machine(host, ("ip", "netns", "exec", name))

    def part(self) -> None:
        """No machine reaches another; nobody is told that a packet was lost."""
        self._isolate("on")

    def heal(self) -> None:
        self._isolate("off")

    def close(self) -> None:
        for name in self._ports:
            ip("netns", "delete", name)
        ip("link", "delete", self._name)

    def _isolate(self, how: str) -> None:
        for name in self._ports:
            subprocess.run(["bridge", "link", "set", "dev", name, "isolated", how], check=True)


@contextmanager
def network() -> Iterator[Network]:
    """Skips the test where none can be made."""
    made = Network()
    try:
        made.open()
    except (FileNotFoundError, subprocess.CalledProcessError) as failure:
        pytest.skip(f"no network of its own: {failure}")
    try:
        yield made
    finally:
        made.close()


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)
