"""The last refused publishers of each room, for an anchor who wonders why it does not work."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from control.clock import Clock

KEPT = 10


@dataclass(frozen=True, slots=True)
class Attempt:
    at: float
    """Seconds since the epoch."""
    reason: str
    address: str
    encoder: str


class Attempts:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._of_rooms: dict[int, deque[Attempt]] = {}

    def note(self, room_id: int, reason: str, address: str, encoder: str) -> None:
        attempts = self._of_rooms.setdefault(room_id, deque(maxlen=KEPT))
        attempts.appendleft(Attempt(self._clock.now(), reason, address, encoder))

    def of(self, room_id: int) -> list[Attempt]:
        """The newest first."""
        return list(self._of_rooms.get(room_id, ()))
