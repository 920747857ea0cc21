"""How often one user may write in one room, and how often all together may."""

from __future__ import annotations

from control.clock import Clock
from control.guessing.windows import Windows
from control.refusals import TooOften

MESSAGES = 5  # of one user in one room
WITHIN = 10  # seconds in which they are counted
OF_ROOM = 50  # messages of all users in one room
OF_ROOM_WITHIN = 1  # seconds, likewise
REMEMBERED = 50_000  # users in a room, and rooms


class Pace:
    def __init__(self, clock: Clock) -> None:
        self._windows = Windows(clock, REMEMBERED)

    def step(self, room_id: int, user_id: int, slow_seconds: int) -> None:
        """Notes a message. `slow_seconds` have to be between two of this user's. Raises TooOften, and notes nothing."""
        limits = [(f"{room_id} {user_id}", MESSAGES, WITHIN), (f"{room_id}", OF_ROOM, OF_ROOM_WITHIN)]
        if slow_seconds:
            limits.append((f"{room_id} {user_id} slow", 1, slow_seconds))
        if any(self._windows.get_moving_window(*limit)[1] >= limit[1] for limit in limits):
            raise TooOften
        for limit in limits:
            self._windows.acquire_entry(*limit)
