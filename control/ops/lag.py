"""How long the event loop keeps its work waiting."""

from __future__ import annotations

from collections import deque

from control.clock import Clock
from control.ops import metrics

EVERY = 0.1  # seconds between two measurements
WINDOW = 100  # of them, of which the gauge shows the longest


class LoopLag:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lags: deque[float] = deque(maxlen=WINDOW)

    async def measure(self) -> None:
        """One sleep, and by how much it was longer than it should be."""
        began = self._clock.ticks()
        await self._clock.sleep(EVERY)
        self._lags.append(max(0.0, self._clock.ticks() - began - EVERY))

    async def show(self) -> None:
        metrics.loop_lag.set(max(self._lags))
