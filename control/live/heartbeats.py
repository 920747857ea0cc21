"""Viewers that nginx holds no session for: HLS players, whose ticket is shown again every few seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from control.access.verdicts import Credentials
from control.clock import Clock, Ticks

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

    def __init__(self, clock: Clock, changed: asyncio.Event) -> None:
        self._clock = clock
        self._changed = changed
        self._rooms: dict[int, dict[int, Heartbeat]] = {}

    def beat(self, room_id: int, user_id: int, shown: Credentials, address: str = "") -> None:
        viewers, now = self._rooms.setdefault(room_id, {}), self._clock.ticks()
        before = viewers.get(user_id)
        if before is None:
            self._changed.set()
        viewers[user_id] = Heartbeat(shown, before.since if before else now, now, address)

    def end(self, room_id: int, user_id: int) -> None:
        viewers = self._rooms.get(room_id, {})
        if viewers.pop(user_id, None):
            self._changed.set()
        if not viewers:
            self._rooms.pop(room_id, None)

    def expire(self) -> None:
        """Forgets viewers that have shown no ticket for LIFETIME."""
        deadline = self._clock.ticks() - LIFETIME
        rooms = self._rooms.items()
        late = [(room, user) for room, viewers in rooms for user, beat in viewers.items() if beat.at < deadline]
        for room_id, user_id in late:
            self.end(room_id, user_id)

    def rooms(self) -> Iterable[int]:
        return self._rooms.keys()

    def in_room(self, room_id: int) -> dict[int, Heartbeat]:
        """By user id."""
        return dict(self._rooms.get(room_id, {}))
