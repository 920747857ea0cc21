"""The last refused publishers of each room, with the reason, for its anchor."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from control.clock import Clock, Epoch

KEPT = 10  # of a room
ROOMS = 2000  # those refused last; a stranger can try them all
ENCODER = 64  # characters: the client chooses them


@dataclass(frozen=True, slots=True)
class RefusedPush:
    at: Epoch
    reason: str
    address: str
    encoder: str


class RefusedPushes:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._of_rooms: dict[int, deque[RefusedPush]] = {}

    def note(self, room_id: int, reason: str, address: str, encoder: str) -> None:
        pushes = self._of_rooms.pop(room_id, None) or deque(maxlen=KEPT)
        pushes.appendleft(RefusedPush(self._clock.now(), reason, address, encoder[:ENCODER]))
        self._of_rooms[room_id] = pushes
        if len(self._of_rooms) > ROOMS:
            del self._of_rooms[next(iter(self._of_rooms))]

    def of(self, room_id: int) -> list[RefusedPush]:
        """The newest first."""
        return list(self._of_rooms.get(room_id, ()))
