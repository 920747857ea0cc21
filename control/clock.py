"""Time, handed in, so that tests can turn it."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    def now(self) -> float:
        """Seconds since the epoch: what is written down and compared between machines."""
        ...

    def ticks(self) -> float:
        """Seconds that only grow, whatever is done to the wall clock: what intervals are measured with."""
        ...


class SystemClock:
    def now(self) -> float:
        return time.time()

    def ticks(self) -> float:
        return time.monotonic()


class Watch:
    """Notices that somebody has set the wall clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ahead = clock.now() - clock.ticks()

    def step(self) -> float:
        """Seconds by which it was set since this was last asked; below 0: back."""
        before, self._ahead = self._ahead, self._clock.now() - self._clock.ticks()
        return self._ahead - before
