"""What changed, announced by its writer after the commit. Listeners are joined in `app`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum


class Changed(StrEnum):
    USER = "user"
    """What others see of a user, or which room is theirs."""
    LOGINS = "logins"
    """Some of a user's have ended."""
    PASSWORD = "password"
    """A user's: their logins and tickets have ended."""
    ROOM = "room"
    """What it says of itself, its passwords, or whether it is open."""
    GATE = "gate"
    BANS = "bans"
    """A room's, of one user."""
    TICKETS = "tickets"
    """A user's for a room were given back."""
    ACCOUNT = "account"
    """A user's was deleted, and with it their room, if they had one."""
    FOLLOWS = "follows"
    """A user follows a room, or follows it no more."""


@dataclass(frozen=True, slots=True)
class Change:
    """0 for what it is not about."""

    what: Changed
    room_id: int = 0
    user_id: int = 0


Listener = Callable[[Change], Awaitable[None]]


class Changes:
    """The writer announces after its commit and before it answers its caller."""

    def __init__(self) -> None:
        self._forgetting: list[Callable[[Change], None]] = []
        self._listeners: list[Listener] = []

    def forget(self, forgetting: Callable[[Change], None]) -> None:
        """Of each change: what lies in memory of it. That comes first, for all."""
        self._forgetting.append(forgetting)

    def listen(self, listener: Listener) -> None:
        self._listeners.append(listener)

    async def announce(self, change: Change) -> None:
        """Returns when each listener has acted on it, also where another could not. Raises what the first of those did:
        the change holds all the same."""
        for forgetting in self._forgetting:
            forgetting(change)
        acted = await asyncio.gather(*(listener(change) for listener in self._listeners), return_exceptions=True)
        for failure in acted:
            if isinstance(failure, BaseException):
                raise failure
