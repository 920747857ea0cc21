"""Turns: of one login, and of one address, so many requests are worked on at a time, and more wait in line.

Control works on one thing at a time. Who asks on hundreds of connections at once waits for themselves alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from weakref import WeakValueDictionary

from control.ops.addresses import network

OF_SESSION, OF_NETWORK = 4, 32


class Turns:
    def __init__(self) -> None:
        self._lines: WeakValueDictionary[tuple[str, int], asyncio.Semaphore] = WeakValueDictionary()

    @asynccontextmanager
    async def turn(self, session_id: str, address: str) -> AsyncIterator[None]:
        """Turns are taken in the order of coming. Without a session there is no line: who logs in waits elsewhere."""
        async with AsyncExitStack() as held:
            if session_id:
                for key in ((session_id, OF_SESSION), (network(address), OF_NETWORK)):
                    await held.enter_async_context(self._lines.setdefault(key, asyncio.Semaphore(key[1])))
            yield
