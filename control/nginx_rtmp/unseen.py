"""Updates of sessions that neither control nor /stat knows yet: what they told is kept until /stat shows them."""

from __future__ import annotations

from control.clock import Clock, Ticks
from control.live.presence import REMEMBERED, SessionKey
from control.nginx_rtmp.form import Callback


class UnseenUpdates:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.updates: dict[SessionKey, tuple[Callback, Ticks]] = {}
        """The first of each, and when it came."""

    def note(self, key: SessionKey, update: Callback) -> Ticks:
        """When the first came."""
        return self.updates.setdefault(key, (update, self._clock.ticks()))[1]

    def get(self, key: SessionKey) -> Callback | None:
        return self.updates[key][0] if key in self.updates else None

    def take(self, key: SessionKey) -> Callback | None:
        """Likewise, and forgets it."""
        return self.updates.pop(key, (None,))[0]

    def forget(self) -> None:
        """Drops those of sessions that were never seen."""
        deadline = self._clock.ticks() - REMEMBERED
        self.updates = {key: pair for key, pair in self.updates.items() if pair[1] > deadline}
