"""What changed of a room, announced by its writer after the commit. Listeners are joined in `app`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum


class Changed(StrEnum):
    ROOM = "room"
    """Its passwords, or whether it is open."""
    GATE = "gate"
    BANS = "bans"
    TICKETS = "tickets"
    """Some were given back."""


@dataclass(frozen=True, slots=True)
class Change:
    what: Changed
    room_id: int


Listener = Callable[[Change], Awaitable[None]]


class Changes:
    """The writer announces after its commit and before it answers its caller."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        self._listeners.append(listener)

    async def announce(self, what: Changed, room_id: int) -> None:
        """Returns when each listener has acted on it."""
        change = Change(what, room_id)
        for listener in self._listeners:
            await listener(change)
