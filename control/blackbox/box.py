"""Writes down what was taken down, and begins another file from time to time."""

from __future__ import annotations

import asyncio

from control import __version__
from control.blackbox.recorder import Recorder
from control.blackbox.ring import Ring
from control.clock import Clock
from control.live.heartbeats import Heartbeats
from control.live.presence import Presence

EVERY = 1.0  # seconds between two writes: what a control that is killed loses
LONGEST = 3600.0  # seconds of a file
AT_A_TIME = 200  # sessions that are taken down before others have their turn


class BlackBox:
    """`ring`: None, and nothing is kept."""

    def __init__(
        self,
        *,
        recorder: Recorder,
        presence: Presence,
        heartbeats: Heartbeats,
        ring: Ring | None,
        clock: Clock,
        node: str,
    ) -> None:
        self._recorder = recorder
        self._presence = presence
        self._heartbeats = heartbeats
        self._ring = ring
        self._clock = clock
        self._node = node
        self._began_at = 0.0

    async def write(self) -> None:
        """Raises OSError, and what was to be written is lost: the next is another file, which needs none of it."""
        if self._ring is None:
            self._recorder.take()
            return
        self._recorder.tell_time()
        began_at, self._began_at = self._began_at, 0.0
        is_old = began_at < self._clock.ticks() - LONGEST
        if not began_at or is_old or self._recorder.lost or await asyncio.to_thread(self._ring.is_full):
            began_at = await self._begin(self._ring, bool(began_at))
        await asyncio.to_thread(self._ring.write, self._recorder.take())
        self._began_at = began_at

    async def _begin(self, ring: Ring, goes_on: bool) -> float:
        """Returns the ticks of its beginning. `goes_on`: there is a file that what came until now belongs to."""
        before = self._recorder.take()
        if goes_on:
            await asyncio.to_thread(ring.write, before)
            before = []
        self._recorder.begin(self._node, __version__, before)
        await asyncio.to_thread(ring.begin, self._clock.now())
        began_at = self._clock.ticks()
        for number, session in enumerate(self._presence.all()):
            if number % AT_A_TIME == AT_A_TIME - 1:
                await asyncio.sleep(0)
            self._recorder.note_there(session, self._presence)
        for number, room_id in enumerate(list(self._heartbeats.rooms())):
            if number % AT_A_TIME == AT_A_TIME - 1:
                await asyncio.sleep(0)
            self._recorder.note_watching(room_id, self._heartbeats)
        return began_at
