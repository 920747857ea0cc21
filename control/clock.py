"""Time, handed in, so that tests can turn it: the wall clock, a clock that only grows, sleeping and time limits."""

from __future__ import annotations

import asyncio
import time
from contextlib import AbstractAsyncContextManager
from typing import NewType, Protocol

Epoch = NewType("Epoch", float)
"""Seconds since the epoch: what is written down and compared between machines. An operator can set it."""
Ticks = NewType("Ticks", float)
"""Seconds that only grow, whatever is done to the wall clock: what intervals are measured with."""


class Clock(Protocol):
    def now(self) -> Epoch: ...

    def ticks(self) -> Ticks: ...

    async def sleep(self, seconds: float) -> None: ...

    def within(self, seconds: float) -> AbstractAsyncContextManager[object]:
        """Raises TimeoutError where its block takes longer."""
        ...


class SystemClock:
    def now(self) -> Epoch:
        return Epoch(time.time())

    def ticks(self) -> Ticks:
        return Ticks(time.monotonic())

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def within(self, seconds: float) -> AbstractAsyncContextManager[object]:
        return asyncio.timeout(seconds)


class StepDetector:
    """Notices that an operator has set the wall clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ahead = clock.now() - clock.ticks()

    def step(self) -> float:
        """Seconds by which it was set since this was last asked; below 0: back."""
        before, self._ahead = self._ahead, self._clock.now() - self._clock.ticks()
        return self._ahead - before
