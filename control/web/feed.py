"""What is live, as the pages watch it: put together once a second for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from control.lobby.cards import Card
from control.lobby.lobby import Lobby

EVERY = 1.0  # seconds
SHOWN = 100  # rooms on the front page
SOME = 2  # pages that are told before others have their turn
RENEWED = 10  # turns of the feed after which pages are told of newer snapshots


@dataclass(frozen=True, slots=True)
class Now:
    rooms: list[Card] = field(default_factory=list)
    """On air, the newest first; at most SHOWN."""
    players: dict[int, int] = field(default_factory=dict)
    """Of every room that has any."""
    live: frozenset[int] = frozenset()
    """Every room on air."""
    since: dict[int, int] = field(default_factory=dict)
    """When each of `rooms` went on air, whole seconds since the epoch."""
    snapshots: dict[int, int] = field(default_factory=dict)
    """When each of `rooms` that has a picture had it taken, as of a few seconds ago."""


class Feed:
    def __init__(self, lobby: Lobby) -> None:
        self._lobby = lobby
        self._now = Now()
        self._watchers: dict[asyncio.Event, None] = {}
        """What wakes each of them."""
        self._number = 0
        self._closed = False

    async def turns(self) -> AsyncIterator[Now]:
        """What is live, at once and then every second, until the feed is closed."""
        turn = asyncio.Event()
        self._watchers[turn] = None
        try:
            if len(self._watchers) == 1:
                await self.refresh()
            while not self._closed:
                turn.clear()
                yield self._now
                await turn.wait()
        finally:
            del self._watchers[turn]

    async def refresh(self) -> None:
        """Costs nothing while no page is open."""
        if not self._watchers:
            return
        rooms = await self._lobby.on_air(SHOWN)
        counts = self._lobby.counts()
        live = frozenset(room_id for room_id, (_, is_live) in counts.items() if is_live)
        self._number += 1
        self._now = Now(
            rooms,
            {room_id: players for room_id, (players, _) in counts.items()},
            live,
            {card.room_id: int(self._lobby.live_since(card.room_id) or 0) for card in rooms},
            self._snapshots(rooms),
        )
        for number, turn in enumerate(list(self._watchers)):
            if number % SOME == SOME - 1:
                await asyncio.sleep(0)
            turn.set()

    def _snapshots(self, rooms: list[Card]) -> dict[int, int]:
        """New ones once in a while: of a hundred rooms one is new nearly always, and all are told of."""
        taken = {card.room_id: card.snapshot_at for card in rooms if card.snapshot_at}
        known = self._now.snapshots
        return taken if self._number % RENEWED == 0 or taken.keys() != known.keys() else known

    def close(self) -> None:
        """Ends every stream; pages open it again by themselves, at the next control."""
        self._closed = True
        for turn in self._watchers:
            turn.set()
