"""`viewer.joined` and `viewer.left`, of rooms whose owner wants them: gathered, since a thousand may come at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import blake2s
from itertools import islice
from typing import Any

import structlog

from control.storage.room_events import EventKind, Gathering

EVERY = 5.0  # seconds in which they are gathered
TOLD_TOGETHER = 100  # viewers in one event
MOST = 20_000  # viewers that are gathered; of more it is only logged that there were

log = structlog.get_logger()


class ViewerEvents:
    """`players` tells how many watch a room."""

    def __init__(self, events: Gathering, players: Callable[[int], int]) -> None:
        self._events = events
        self._players = players
        self.rooms: frozenset[int] = frozenset()
        """Of which anything is to be noted."""
        self._gathered: dict[tuple[int, str], bool] = {}
        """Whether a viewer of a room came or went."""
        self._left_out = 0

    def note(self, room_id: int, viewer: str, came: bool) -> None:
        """Who comes and goes between two steps was not there. `viewer` as in passages."""
        before = self._gathered.pop((room_id, viewer), None)
        if before is None and len(self._gathered) < MOST:
            self._gathered[room_id, viewer] = came
        elif before is None:
            self._left_out += 1

    async def step(self) -> None:
        gathered, self._gathered = self._gathered, {}
        if self._left_out:
            log.warning("viewers left out", count=self._left_out)
            self._left_out = 0
        sorted_out: dict[tuple[int, bool], list[str]] = {}
        for (room_id, viewer), came in gathered.items():
            sorted_out.setdefault((room_id, came), []).append(viewer)
        for (room_id, came), all_of_them in sorted_out.items():
            for some in _parts(all_of_them):
                kind = EventKind.JOINED if came else EventKind.LEFT
                self._events.put(
                    room_id, kind, viewers=[_told(each) for each in some], playerCount=self._players(room_id)
                )


def _parts(viewers: Iterable[str]) -> Iterator[Sequence[str]]:
    left = iter(viewers)
    while some := list(islice(left, TOLD_TOGETHER)):
        yield some


def _told(viewer: str) -> dict[str, Any]:
    """A key is hashed: it holds nginx's start id, which is the secret part of our callback URLs."""
    if not viewer.lstrip("-").isdigit():
        return {"viewerId": blake2s(viewer.encode(), digest_size=8).hexdigest(), "userId": 0, "isGuest": 0}
    return {"viewerId": viewer, "userId": max(0, int(viewer)), "isGuest": int(viewer.startswith("-"))}
