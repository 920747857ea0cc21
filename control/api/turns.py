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
        self._lines: dict[Key, _Line] = {}
        """Those that somebody is in."""

    def turn(self, session_id: str, address: str) -> AbstractAsyncContextManager[object]:
        """Turns are taken in the order of coming. Without a session there is no line: who logs in waits elsewhere."""
        if not session_id:
            return nullcontext()
        return _Turn(self, (session_id, OF_SESSION), (network(address), OF_NETWORK))

    def enter(self, key: Key) -> bool:
        """Whether there was a place. Where there was none, `wait` is next."""
        line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = _Line(key[1])
        if not line.places:
            return False
        line.places -= 1
        return True

    async def wait(self, key: Key) -> None:
        """Returns with a place."""
        waiting, turn = self._lines[key].waiting, asyncio.get_running_loop().create_future()
        waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self.leave(key)  # which was had in the same moment
            elif turn in waiting:
                waiting.remove(turn)
            raise

    def leave(self, key: Key) -> None:
        line = self._lines[key]
        while line.waiting:
            turn = line.waiting.popleft()
            if not turn.done():
                return turn.set_result(None)
        line.places += 1
        if line.places == key[1]:
            del self._lines[key]


class _Line:
    """A semaphore of asyncio's costs more where nobody waits, as nearly always, and does not tell that it is free."""

    __slots__ = ("places", "waiting")

    def __init__(self, places: int) -> None:
        self.places = places
        """Free ones; none while somebody waits."""
        self.waiting: deque[asyncio.Future[None]] = deque()


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
