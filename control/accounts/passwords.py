"""argon2id, on threads of its own: one hash takes tens of milliseconds and megabytes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from control.refusals import BadParameter
from control.settings import Settings

T = TypeVar("T")


class Passwords:
    """Hashes and checks account passwords. As many at a time as is set, or as there are cores; the rest wait."""

    def __init__(self, settings: Settings) -> None:
        self._hasher = PasswordHasher(
            time_cost=settings.argon2_time_cost,
            memory_cost=settings.argon2_memory_kib,
            parallelism=settings.argon2_parallelism,
        )
        at_once = settings.argon2_at_once or os.cpu_count()
        self._threads = ThreadPoolExecutor(max_workers=at_once, thread_name_prefix="argon2")
        self._decoy = self._hasher.hash("no account's password")

    def close(self) -> None:
        self._threads.shutdown(cancel_futures=True)

    async def hash(self, password: str) -> str:
        return await self._on_thread(self._hasher.hash, password)

    async def matches(self, stored: str | None, password: str) -> bool:
        """Whether it is the password. With nothing stored it is not, and finding that out takes as long."""
        right = await self._on_thread(self._verify, stored or self._decoy, password)
        return right and stored is not None

    def outgrown(self, stored: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except VerifyMismatchError:
            return False

    async def _on_thread(self, function: Callable[..., T], *arguments: str) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)


def acceptable(password: str) -> str:
    """Raises BadParameter unless it has 6 to 128 characters."""
    if not 6 <= len(password) <= 128:
        raise BadParameter("password")
    return password
