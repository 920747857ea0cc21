"""Viewers that nginx holds no session for: HLS players, whose ticket is shown again every few seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from control.clock import Clock
from control.live.verdicts import Credentials

LIFETIME = 12.0  # seconds: three times as long as the web nginx keeps a yes before it asks again


class Heartbeats:
    """`changed` is set whenever a count may have changed."""

    def __init__(self, clock: Clock, changed: asyncio.Event) -> None:
        self._clock = clock
        self._changed = changed
        self._seen: dict[int, dict[int, tuple[Credentials, float]]] = {}

    def beat(self, room_id: int, user_id: int, shown: Credentials) -> None:
        viewers = self._seen.setdefault(room_id, {})
        if user_id not in viewers:
            self._changed.set()
        viewers[user_id] = shown, self._clock.ticks()

    def end(self, room_id: int, user_id: int) -> None:
        viewers = self._seen.get(room_id, {})
        if viewers.pop(user_id, None):
            self._changed.set()
        if not viewers:
            self._seen.pop(room_id, None)

    def expire(self) -> None:
        """Forgets whoever has shown no ticket for LIFETIME."""
        deadline = self._clock.ticks() - LIFETIME
        late = [
            (room, user) for room, viewers in self._seen.items() for user, (_, at) in viewers.items() if at < deadline
        ]
        for room_id, user_id in late:
            self.end(room_id, user_id)

    def rooms(self) -> Iterable[int]:
        return self._seen.keys()

    def in_room(self, room_id: int) -> Mapping[int, Credentials]:
        """User ids, and what each showed last."""
        return {user_id: shown for user_id, (shown, _) in self._seen.get(room_id, {}).items()}
