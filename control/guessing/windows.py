"""The memory behind moving windows: bounded, however many subjects are tried, and by a clock that is handed in.

`limits` has a storage in memory of its own, which reads the wall clock, starts a thread, and grows with what is tried.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Iterator

from limits.storage import MovingWindowSupport, Storage

from control.clock import Clock

Row = tuple[str, float, int]
"""A key, the age of its last entry in seconds, and how many it has."""


class Windows(Storage, MovingWindowSupport):
    """A storage of `limits` for its moving windows alone. Past `most` keys, the one that was hit longest ago goes."""

    STORAGE_SCHEME = None

    def __init__(self, clock: Clock, most: int) -> None:
        super().__init__()
        self._clock = clock
        self._most = most
        self._entries: OrderedDict[str, array[float]] = OrderedDict()

    @property
    def is_empty(self) -> bool:
        return not self._entries

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        entries = self._since(key, expiry)
        if len(entries) + amount > limit:
            return False
        entries.extend([self._clock.ticks()] * amount)
        self._keep(key, entries)
        return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        entries = self._since(key, expiry)
        return (entries[0] if entries else self._clock.ticks()), len(entries)

    def rows(self) -> Iterator[Row]:
        """Those there are now, without what expires while they are gone through."""
        now, all_of_them = self._clock.ticks(), [*self._entries.items()]
        return ((key, now - entries[-1], len(entries)) for key, entries in all_of_them if entries)

    def load(self, rows: Iterable[Row]) -> None:
        """All entries of a key are taken to be as old as its last: never milder than what was."""
        for key, age, count in rows:
            self._keep(key, array("d", [self._clock.ticks() - age] * count))

    def _since(self, key: str, expiry: int) -> array[float]:
        """The entries that are not too old; the others are let go."""
        entries = self._entries.get(key)
        if entries is None:
            return array("d")
        del entries[: bisect_right(entries, self._clock.ticks() - expiry)]
        if not entries:
            del self._entries[key]
        return entries

    def _keep(self, key: str, entries: array[float]) -> None:
        self._entries[key] = entries
        self._entries.move_to_end(key)
        if len(self._entries) > self._most:
            self._entries.popitem(last=False)

    def clear(self, key: str) -> None:
        self._entries.pop(key, None)

    def reset(self) -> int | None:
        count = len(self._entries)
        self._entries.clear()
        return count

    def check(self) -> bool:
        return True

    @property
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        raise NotImplementedError("moving windows alone")

    def get(self, key: str) -> int:
        raise NotImplementedError("moving windows alone")

    def get_expiry(self, key: str) -> float:
        raise NotImplementedError("moving windows alone")
