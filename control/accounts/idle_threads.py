"""Threads for work that fills a core for a while, and that nothing else should wait for.

A low priority is not enough: Linux lets whoever runs go on for some milliseconds before another takes the core, and a
player who joins would wait for that. From a thread of the idle class everybody else takes it at once. But it may get
none at all where others need all cores: what was not done in good time is done again by one with a share of its own.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")

NICENESS = 10
PATIENCE = 0.5  # seconds that work may take of idle time


class IdleThreads:
    """So many at a time, and as many again where all cores are busy."""

    def __init__(self, at_once: int, name: str) -> None:
        self._idle = ThreadPoolExecutor(at_once, f"{name}-idle", initializer=only_when_idle)
        self._busy = ThreadPoolExecutor(at_once, name, initializer=step_back)

    async def run(self, function: Callable[..., T], *arguments: object) -> T:
        """What it returns; it may be called twice. Raises what it does."""
        loop = asyncio.get_running_loop()
        first = loop.run_in_executor(self._idle, function, *arguments)
        done, _ = await asyncio.wait({first}, timeout=PATIENCE)
        if done:
            return first.result()
        first.cancel()  # where no thread has begun with it
        return await loop.run_in_executor(self._busy, function, *arguments)

    def close(self) -> None:
        for threads in (self._idle, self._busy):
            threads.shutdown(cancel_futures=True)


def step_back() -> None:
    """Linux has a priority for each thread."""
    if os.getpriority(os.PRIO_PROCESS, thread := threading.get_native_id()) < NICENESS:  # else it is so already
        os.setpriority(os.PRIO_PROCESS, thread, NICENESS)


def only_when_idle() -> None:
    step_back()
    with suppress(PermissionError):  # some sandboxes forbid it; the priority is what is left then
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
