"""Whether a control that lives does its work: one that hangs is worse than one that died, which is started again."""

from __future__ import annotations

from pathlib import Path

from control.clock import Clock, Ticks
from control.supervisor import probe

HUNG = 20.0  # seconds without an answer


class Watchdog:
    """`internal` is where control answers."""

    def __init__(self, internal: Path, clock: Clock) -> None:
        self._internal = internal
        self._clock = clock
        self._pid: int | None = None
        self._heard_at: Ticks | None = None

    def hangs(self, pid: int | None) -> bool:
        """Asks, which blocks for 2 s at the most. A life that has not answered yet is starting, which may take its time
        over a migration."""
        if pid != self._pid:
            self._pid, self._heard_at = pid, None
        if pid is not None and not probe.problem(self._internal, "/healthz"):
            self._heard_at = self._clock.ticks()
        return self._heard_at is not None and self._clock.ticks() - self._heard_at > HUNG
