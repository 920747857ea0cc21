"""A room's gate. It starts open; its owner shuts it for a time, and opens it.

Each call sets the state for a time, after which the gate is as it was at the start: open. So an anchor
whose app was closed without a word, or who goes back to a bare encoder, is never locked out of their own room.
"""

from __future__ import annotations

from control.accounts.users import User
from control.clock import Clock, Epoch
from control.refusals import BadParameter
from control.rooms.rooms import Rooms

DEFAULT, LOW, HIGH = 60, 5, 3600  # seconds


class Gate:
    def __init__(self, rooms: Rooms, clock: Clock) -> None:
        self._rooms = rooms
        self._clock = clock

    async def set(self, owner: User, room_id: int, is_open: bool, seconds: int) -> int:
        """The room's id. `seconds`: 5 to 3600 seconds. Raises BadParameter, NoRoom, NoSuchRoom."""
        if not LOW <= seconds <= HIGH:
            raise BadParameter("timeout")
        until = Epoch(0.0 if is_open else self._clock.now() + seconds)
        return await self._rooms.shut_gate(owner, room_id, until)
