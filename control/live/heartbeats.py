"""Viewers that nginx holds no session for: HLS players, whose ticket is shown again every few seconds."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile

from control.access.verdicts import Credentials
from control.clock import Clock, Ticks
from control.live.inputs import Inputs, Unkept
from control.live.presence import Passage

LIFETIME = 12.0  # seconds: three times as long as the web nginx keeps a yes before it asks again


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Of one viewer."""

    shown: Credentials
    """The last time."""
    since: Ticks
    at: Ticks
    address: str = ""


class Heartbeats:
    """`changed` is set whenever a count may have changed."""

    def __init__(self, clock: Clock, changed: asyncio.Event, inputs: Inputs | None = None) -> None:
        self._clock = clock
        self._inputs: Inputs = inputs or Unkept()
        self._changed = changed
        self._rooms: dict[int, dict[int, Heartbeat]] = {}
        self._latest: dict[tuple[int, int], Ticks] = {}
        """By room and user, in the order of time."""
        self.passages: deque[Passage] = deque()
        """Since they were last taken from here."""

    def beat(self, room_id: int, user_id: int, shown: Credentials, address: str = "") -> None:
        viewers, now = self._rooms.setdefault(room_id, {}), self._clock.ticks()
        before = viewers.get(user_id)
        if before is None:
            self._passes(room_id, user_id, 1)
            self._inputs.note_viewer("came", room_id, user_id, address)
        viewers[user_id] = Heartbeat(shown, before.since if before else now, now, address)
        self._latest.pop((room_id, user_id), None)
        self._latest[room_id, user_id] = now

    def end(self, room_id: int, user_id: int) -> None:
        viewers = self._rooms.get(room_id, {})
        if viewers.pop(user_id, None):
            del self._latest[room_id, user_id]
            self._passes(room_id, user_id, -1)
            self._inputs.note_viewer("over", room_id, user_id, "")
        if not viewers:
            self._rooms.pop(room_id, None)

    def expire(self) -> None:
        """Forgets viewers that have shown no ticket for LIFETIME."""
        deadline = self._clock.ticks() - LIFETIME
        for (room_id, user_id), _ in list(takewhile(lambda beat: beat[1] < deadline, self._latest.items())):
            self.end(room_id, user_id)

    @property
    def number(self) -> int:
        """Of viewers, each in each of their rooms."""
        return len(self._latest)

    def is_there(self, room_id: int, user_id: int) -> bool:
        return (room_id, user_id) in self._latest

    def rooms(self) -> Iterable[int]:
        return self._rooms.keys()

    def in_room(self, room_id: int) -> dict[int, Heartbeat]:
        """By user id."""
        return dict(self._rooms.get(room_id, {}))

    def _passes(self, room_id: int, user_id: int, change: int) -> None:
        self.passages.append(Passage(room_id, change, str(user_id)))
        self._changed.set()
