"""How often one user may write in one room, and how often all together may."""

from __future__ import annotations

from control.clock import Clock
from control.guessing.windows import Windows
from control.refusals import TooOften

WITHIN = 10  # seconds in which one user's messages in one room are counted
OF_ROOM_WITHIN = 1  # seconds, likewise those of all users
REMEMBERED = 50_000  # users in a room, and rooms


class Pace:
    """`messages` of one user and `room_messages` of all are the most in one room."""

    def __init__(self, clock: Clock, messages: int, room_messages: int) -> None:
        self._messages = messages
        self._room_messages = room_messages
        self._windows = Windows(clock, REMEMBERED)

    def step(self, room_id: int, user_id: int, slow_seconds: int) -> None:
        """Notes a message. `slow_seconds` have to be between two of this user's. Raises TooOften, and notes nothing."""
        limits = [
            (f"{room_id} {user_id}", self._messages, WITHIN),
            (f"{room_id}", self._room_messages, OF_ROOM_WITHIN),
        ]
        if slow_seconds:
            limits.append((f"{room_id} {user_id} slow", 1, slow_seconds))
        if any(self._windows.get_moving_window(*limit)[1] >= limit[1] for limit in limits):
            raise TooOften
        for limit in limits:
            self._windows.acquire_entry(*limit)
