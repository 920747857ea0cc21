"""What was noted lately: bounded, by a clock that is handed in."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator

from control.clock import Clock, Ticks


class Recent:
    """Holds what was noted within `lifetime` seconds. Past `most`, what was noted longest ago goes."""

    def __init__(self, clock: Clock, *, most: int, lifetime: float) -> None:
        self._clock = clock
        self._most = most
        self._lifetime = lifetime
        self._noted: OrderedDict[str, Ticks] = OrderedDict()

    def note(self, key: str, age: float = 0.0) -> None:
        self._noted[key] = Ticks(self._clock.ticks() - age)
        self._noted.move_to_end(key)
        if len(self._noted) > self._most:
            self._noted.popitem(last=False)

    def holds(self, key: str) -> bool:
        return self._noted.get(key, float("-inf")) > self._clock.ticks() - self._lifetime

    def forget(self, beginning: str) -> None:
        """Every key that begins so."""
        for key in [key for key in self._noted if key.startswith(beginning)]:
            del self._noted[key]

    def rows(self) -> Iterator[tuple[str, float]]:
        """Keys and their ages in seconds, the oldest first, as they are now."""
        now = self._clock.ticks()
        return ((key, now - at) for key, at in [*self._noted.items()])

    def load(self, rows: Iterable[tuple[str, float]]) -> None:
        for key, age in rows:
            self.note(key, age)
