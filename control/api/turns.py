"""Turns: of one login, and of one address, so many requests are worked on at a time, and more wait in line.

Control works on one thing at a time. Who asks on hundreds of connections at once waits for themselves alone.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import AbstractAsyncContextManager, nullcontext

from control.ops.addresses import network

OF_SESSION, OF_NETWORK = 4, 32

Key = tuple[str, int]
"""Whose line, and how many have their turn at a time."""


class Turns:
    def __init__(self) -> None:
        self._lines: dict[Key, int] = {}
        """How many have their turn; of those that somebody is in. All places are taken while somebody waits."""
        self._waiting: dict[Key, deque[asyncio.Future[None]]] = {}

    def turn(self, session_id: str, address: str) -> AbstractAsyncContextManager[object]:
        """Turns are taken in the order of coming. Without a session there is no line: who logs in waits elsewhere."""
        if not session_id:
            return nullcontext()
        return _Turn(self, (session_id, OF_SESSION), (network(address), OF_NETWORK))

    def enter(self, key: Key) -> bool:
        """Whether there was a place. Where there was none, `wait` is next."""
        taken = self._lines.get(key, 0)
        if taken == key[1]:
            return False
        self._lines[key] = taken + 1
        return True

    async def wait(self, key: Key) -> None:
        """Returns with a place."""
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self.leave(key)  # which was had in the same moment
            elif turn in self._waiting.get(key, ()):
                self._waiting[key].remove(turn)
                self._tidy(key)
            raise

    def leave(self, key: Key) -> None:
        turn = self._next(key) if key in self._waiting else None
        if turn is not None:
            return turn.set_result(None)
        taken = self._lines.pop(key) - 1
        if taken:
            self._lines[key] = taken

    def _next(self, key: Key) -> asyncio.Future[None] | None:
        """The first who still waits."""
        waiting, turn = self._waiting[key], None
        while waiting and turn is None:
            first = waiting.popleft()
            turn = None if first.done() else first
        self._tidy(key)
        return turn

    def _tidy(self, key: Key) -> None:
        if not self._waiting[key]:
            del self._waiting[key]


class _Turn(AbstractAsyncContextManager[object]):
    """In two lines, one after the other. By hand: every request takes one, and an exit stack costs more than it."""

    __slots__ = ("_first", "_second", "_turns")

    def __init__(self, turns: Turns, first: Key, second: Key) -> None:
        self._turns = turns
        self._first = first
        self._second = second

    async def __aenter__(self) -> None:
        turns = self._turns
        if not turns.enter(self._first):
            await turns.wait(self._first)
        if turns.enter(self._second):
            return
        both = False
        try:
            await turns.wait(self._second)
            both = True
        finally:
            if not both:
                turns.leave(self._first)

    async def __aexit__(self, *failure: object) -> None:
        self._turns.leave(self._second)
        self._turns.leave(self._first)
