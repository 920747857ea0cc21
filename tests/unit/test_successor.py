"""The next process of a child, which waits until the one before has ended."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from control.clock import SystemClock
from control.supervisor.children import spawn
from control.supervisor.successor import Successor
from tests.support.world import HandClock
from tests.unit.test_children import anyio_backend, kept, made, number, python, until

__all__ = ["anyio_backend"]
pytestmark = pytest.mark.anyio
LOADS = "import sys, time; from control.supervisor.successor import wait; wait(int(sys.argv[1])) and time.sleep(60)"
NEVER_SAYS = "import time; time.sleep(60)"


def running(code: str, started: list[subprocess.Popen[bytes]]) -> Callable[[int], subprocess.Popen[bytes]]:
    def start(descriptor: int) -> subprocess.Popen[bytes]:
        started.append(spawn([sys.executable, "-c", code, str(descriptor)], os.environ, [descriptor]))
        return started[-1]

    return start


async def test_it_takes_over_once_it_has_loaded(tmp_path: Path) -> None:
    started: list[subprocess.Popen[bytes]] = []
    pid_file = tmp_path / "pid"
    child = made("control", pid_file, lambda: python("import time; time.sleep(60)"))
    async with kept(child):
        await until(lambda: child.pid)
        before = child.pid
        successor = Successor(running(LOADS, started), SystemClock())
        assert await successor.loaded()
        assert (child.pid, number(pid_file)) == (before, before)  # whoever loads takes nothing from it
        await child.restart(successor)
        await until(lambda: child.pid == started[0].pid)
        assert number(pid_file) == started[0].pid
        assert started[0].poll() is None
        assert child.failures == 0


async def test_it_is_gone_if_its_code_does_not_load() -> None:
    started: list[subprocess.Popen[bytes]] = []
    assert not await Successor(running("import nowhere_to_be_found", started), SystemClock()).loaded()
    assert started[0].returncode is not None


async def test_it_is_gone_if_it_loads_for_too_long() -> None:
    started: list[subprocess.Popen[bytes]] = []
    clock = HandClock()
    loading = asyncio.create_task(Successor(running(NEVER_SAYS, started), clock).loaded())
    await asyncio.sleep(0)
    clock.advance(15.1)
    assert not await loading
    assert started[0].returncode is not None


async def test_it_is_gone_with_a_child_that_is_told_to_stop(tmp_path: Path) -> None:
    started: list[subprocess.Popen[bytes]] = []
    child = made("control", tmp_path / "pid", lambda: python("import time; time.sleep(60)"))
    async with kept(child):
        await until(lambda: child.pid)
        successor = Successor(running(LOADS, started), SystemClock())
        assert await successor.loaded()
        stopping = asyncio.create_task(child.stop())
        await child.restart(successor)
        await stopping
    assert started[0].returncode is not None
    assert child.pid is None


async def test_it_does_not_begin_without_a_supervisor() -> None:
    started: list[subprocess.Popen[bytes]] = []
    successor = Successor(running(LOADS, started), SystemClock())
    assert await successor.loaded()
    successor._socket.close()
    assert started[0].wait(10) == 0
