"""Which room's picture is made next, and which there are."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from control.access.rights import RightsOfRooms
from control.clock import Clock, Ticks
from control.live.presence import Presence
from control.ops import metrics
from control.snapshots.album import Album, newest_segment
from control.snapshots.decoding import Decoding
from control.snapshots.messages import NONE
from control.storage.changes import Change, Changed

LOOK = 1.0  # seconds between two looks for rooms whose picture is due, where none is
AGAIN = 3.0  # seconds after which a room that gave none is tried again
READ = 2 * 2**20  # bytes of a segment: a key frame is at its beginning
REST = 5.0  # times as long as one took, before the next: on a busy machine they take longer, and so become rare
LONGEST_REST = 10.0  # seconds


@dataclass(kw_only=True)
class Snapshots:
    """`every`: seconds between two pictures of a room; 0: none are made."""

    presence: Presence
    rights: RightsOfRooms
    album: Album
    decoding: Decoding
    segments: Path
    """The folder that nginx writes HLS into."""
    every: float
    clock: Clock
    _taken: dict[int, int] = field(default_factory=dict)
    _due: dict[int, Ticks] = field(default_factory=dict)
    """When live rooms are next."""
    _rest: float = LOOK
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def load(self) -> None:
        self._taken = await asyncio.to_thread(self.album.taken)

    def taken_at(self, room_id: int) -> int:
        """Whole seconds since the epoch; 0: there is no picture."""
        return self._taken.get(room_id, 0)

    async def next_turn(self) -> None:
        await self.clock.sleep(self._rest)

    async def step(self) -> None:
        """Makes the one that has been due the longest, if any is."""
        live = {publisher.room_id for publisher in self.presence.publishers() if publisher.live}
        began = self.clock.ticks()
        self._due = {room_id: self._due.get(room_id, began) for room_id in live}
        room_id = min(live, key=self._due.__getitem__, default=None)
        if not self.every or room_id is None or self._due[room_id] > began:
            self._rest = LOOK
            return
        made = await self._make(room_id)
        ended = self.clock.ticks()
        self._due[room_id] = Ticks(ended + (self.every if made else min(AGAIN, self.every)))
        self._rest = min(LONGEST_REST, REST * (ended - began))

    async def reconsider(self, change: Change) -> None:
        """Shows everybody no more of a room that was made private or deleted than they may see, before its owner is
        answered."""
        if change.what not in (Changed.ROOM, Changed.ACCOUNT) or change.room_id not in self._taken:
            return
        async with self._turn:
            room = await self.rights.of(change.room_id)
            if room is not None:
                await asyncio.to_thread(self.album.show, change.room_id, room.is_open)
            elif self._taken.pop(change.room_id, 0):
                await asyncio.to_thread(self.album.remove, change.room_id)

    async def _make(self, room_id: int) -> bool:
        segment = await asyncio.to_thread(newest_segment, self.segments / str(room_id), READ)
        picture = await self.decoding.picture(segment) if segment else NONE
        metrics.snapshots.labels("made" if picture[0] else "none").inc()
        if not picture[0]:
            return False
        async with self._turn:
            room = await self.rights.of(room_id)
            if room is None:
                return False  # it was deleted meanwhile
            await asyncio.to_thread(self.album.put, room_id, picture, room.is_open)
            self._taken[room_id] = int(self.clock.now())
        return True
