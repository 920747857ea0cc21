"""The last refused publishers of each room, with the reason, for its anchor."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from math import inf

from control.clock import Clock, Epoch, Ticks
from control.storage.room_events import EventKind, Gathering

KEPT = 10  # of a room
ROOMS = 2000  # those refused last; a stranger can try them all
ENCODER = 64  # characters: the client chooses them
AGAIN = 60.0  # seconds between two events of a room for the same reason
NEVER = Ticks(-inf)


@dataclass(frozen=True, slots=True)
class RefusedPush:
    at: Epoch
    reason: str
    address: str
    encoder: str


@dataclass(slots=True)
class _Told:
    at: Ticks = NEVER
    more: int = 0
    """How many were refused since."""


class RefusedPushes:
    def __init__(self, clock: Clock, events: Gathering) -> None:
        self._clock = clock
        self._events = events
        self._of_rooms: dict[int, deque[RefusedPush]] = {}
        self._told: dict[tuple[int, str], _Told] = {}
        """By room and reason, the one that was told last the last."""

    def note(self, room_id: int, reason: str, address: str, encoder: str) -> None:
        pushes = self._of_rooms.pop(room_id, None) or deque(maxlen=KEPT)
        pushes.appendleft(RefusedPush(self._clock.now(), reason, address, encoder[:ENCODER]))
        self._of_rooms[room_id] = pushes
        if len(self._of_rooms) > ROOMS:
            del self._of_rooms[next(iter(self._of_rooms))]
        self._tell(room_id, reason, address, encoder[:ENCODER])

    def _tell(self, room_id: int, reason: str, address: str, encoder: str) -> None:
        """An encoder tries again every few seconds, and a stranger as often as they like: of those that are refused for
        the same reason one every AGAIN is told of, and how many there were since."""
        now, told = self._clock.ticks(), self._told.setdefault((room_id, reason), _Told())
        told.more += 1
        if now - told.at >= AGAIN:
            self._events.put(
                room_id, EventKind.REFUSED, reason=reason, address=address, encoder=encoder, count=told.more
            )
            del self._told[room_id, reason]
            self._told[room_id, reason] = _Told(now)
        if len(self._told) > ROOMS:
            del self._told[next(iter(self._told))]

    def of(self, room_id: int) -> list[RefusedPush]:
        """The newest first."""
        return list(self._of_rooms.get(room_id, ()))
