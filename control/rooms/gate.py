"""A room's gate. It starts open; its owner shuts it for a time, and opens it.

Once the time is over the gate is as it was at the start: open. So an anchor is not locked out of
their own room by an app that was closed, nor by going back to a bare encoder.
"""

from __future__ import annotations

import asyncio
from weakref import WeakValueDictionary

from control.accounts.users import User
from control.clock import Clock, Epoch
from control.rooms.rooms import Rooms

DEFAULT, LOW, HIGH = 60, 5, 3600  # seconds


class Gate:
    def __init__(self, rooms: Rooms, clock: Clock) -> None:
        self._rooms = rooms
        self._clock = clock
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    def turn(self, room_id: int) -> asyncio.Lock:
        """Held over a decision that takes time: a start that comes during a stop takes effect after it."""
        return self._turns.setdefault(room_id, asyncio.Lock())

    async def open(self, owner: User, room_id: int) -> None:
        """Raises NoRoom, NoSuchRoom."""
        await self._rooms.shut_gate(owner, room_id, Epoch(0.0))

    async def shut(self, owner: User, room_id: int, seconds: int) -> None:
        """`seconds`: 0 is the default, others are taken as the nearest of 5 to 3600: a stop is always done. Raises
        NoRoom, NoSuchRoom."""
        held = min(max(seconds, LOW), HIGH) if seconds else DEFAULT
        await self._rooms.shut_gate(owner, room_id, Epoch(self._clock.now() + held))
