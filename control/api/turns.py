"""Turns: of one login, and of one address, so many requests are worked on at a time, and more wait in line.

Control works on one thing at a time. Who asks on hundreds of connections at once waits for themselves alone.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, nullcontext
from weakref import WeakValueDictionary

from control.ops.addresses import network

OF_SESSION, OF_NETWORK = 4, 32


class Turns:
    def __init__(self) -> None:
        self._lines: WeakValueDictionary[tuple[str, int], asyncio.Semaphore] = WeakValueDictionary()

    def turn(self, session_id: str, address: str) -> AbstractAsyncContextManager[object]:
        """Turns are taken in the order of coming. Without a session there is no line: who logs in waits elsewhere."""
        if not session_id:
            return nullcontext()
        return _Turn(self._line(session_id, OF_SESSION), self._line(network(address), OF_NETWORK))

    def _line(self, whose: str, places: int) -> asyncio.Semaphore:
        key = whose, places
        line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = asyncio.Semaphore(places)
        return line


class _Turn(AbstractAsyncContextManager[object]):
    """In two lines, one after the other. By hand: every request takes one, and an exit stack costs more than it."""

    __slots__ = ("_first", "_second")

    def __init__(self, first: asyncio.Semaphore, second: asyncio.Semaphore) -> None:
        self._first = first
        self._second = second

    async def __aenter__(self) -> None:
        await self._first.acquire()
        both = False
        try:
            await self._second.acquire()
            both = True
        finally:
            if not both:
                self._first.release()

    async def __aexit__(self, *failure: object) -> None:
        self._second.release()
        self._first.release()
