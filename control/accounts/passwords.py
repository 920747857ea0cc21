"""argon2id, on threads of its own: one hash takes tens of milliseconds and megabytes."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from control.accounts.line import Line
from control.accounts.origin import Origin
from control.ops.addresses import network
from control.settings import Settings

T = TypeVar("T")

LONGEST_LINE = 64  # requests that wait to be hashed
NICENESS = 10  # of the threads: callbacks come first


class Passwords:
    """Hashes and checks account passwords. As many at a time as is set, or as there are cores; the rest wait in a line
    that is fair by address. Who has hung up by the time of their turn is not served."""

    def __init__(self, settings: Settings) -> None:
        self._hasher = PasswordHasher(
            time_cost=settings.argon2_time_cost,
            memory_cost=settings.argon2_memory_kib,
            parallelism=settings.argon2_parallelism,
        )
        at_once = settings.argon2_at_once or os.cpu_count() or 1
        self._line = Line(at_once, LONGEST_LINE)
        self._threads = ThreadPoolExecutor(max_workers=at_once, thread_name_prefix="argon2", initializer=step_back)
        self._decoy = self._hasher.hash("no account's password")

    def close(self) -> None:
        self._threads.shutdown(cancel_futures=True)

    async def hash(self, password: str, origin: Origin) -> str:
        """Raises TooOften where the line is too long, and HungUp."""
        return await self._in_turn(origin, lambda: None, False, self._hasher.hash, password)

    async def matches(
        self,
        stored: str | None,
        password: str,
        origin: Origin,
        *,
        check: Callable[[], object] = lambda: None,
        known: bool = False,
    ) -> bool:
        """Whether it is the password. With nothing stored it is not, and finding that out takes as long. `check` is
        called at its turn, and may raise. Raises TooOften where the line is too long, and HungUp."""
        right = await self._in_turn(origin, check, known, self._verify, stored or self._decoy, password)
        return right and stored is not None

    def outgrown(self, stored: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except VerifyMismatchError:
            return False

    async def _in_turn(
        self, origin: Origin, check: Callable[[], object], known: bool, function: Callable[..., T], *arguments: str
    ) -> T:
        async with self._line.turn(network(origin.address), known):
            await origin.stays()
            check()
            return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)


def step_back() -> None:
    """Linux has a priority for each thread."""
    if os.getpriority(os.PRIO_PROCESS, thread := threading.get_native_id()) < NICENESS:  # else it is so already
        os.setpriority(os.PRIO_PROCESS, thread, NICENESS)
