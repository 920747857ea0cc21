"""A line for work that few can do at a time: fair by address, and bounded."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from control.refusals import TooOften

Waiter = asyncio.Future[None]
Queues = OrderedDict[str, deque[Waiter]]
"""Who waits, by address; the address whose turn is next comes first."""


class Line:
    """Addresses take turns, whatever number of theirs wait, and known addresses have every other turn to themselves.
    With `longest` in the line, the last of the address that has the most in it gives way: to an address that has fewer,
    and always to a known one where it is none."""

    def __init__(self, at_once: int, longest: int) -> None:
        self._free = at_once
        self._longest = longest
        self._known: Queues = OrderedDict()
        self._others: Queues = OrderedDict()
        self._known_next = True

    @asynccontextmanager
    async def turn(self, address: str, known: bool = False) -> AsyncIterator[None]:
        """Raises TooOften for one who has to give way."""
        await self._enter(address, known)
        try:
            yield
        finally:
            self._leave()

    def __len__(self) -> int:
        """How many wait."""
        return sum(len(queue) for queues in (self._known, self._others) for queue in queues.values())

    async def _enter(self, address: str, known: bool) -> None:
        if self._free:
            self._free -= 1
            return
        if len(self) >= self._longest:
            self._make_room(address, known)
        queues = self._known if known else self._others
        waiter: Waiter = asyncio.get_running_loop().create_future()
        queues.setdefault(address, deque()).append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self._leave()  # its turn came as it went
            else:
                _remove(queues, address, waiter)
            raise

    def _leave(self) -> None:
        first, second = (self._known, self._others) if self._known_next else (self._others, self._known)
        queues = first or second
        if not queues:
            self._free += 1
            return
        self._known_next = queues is not self._known
        address, queue = next(iter(queues.items()))
        waiter = queue.popleft()
        if queue:
            queues.move_to_end(address)
        else:
            del queues[address]
        waiter.set_result(None)

    def _make_room(self, newcomer: str, known: bool) -> None:
        """Raises TooOften where it is the newcomer that has to give way."""
        queues = self._others or self._known
        address = max(queues, key=lambda each: len(queues[each]))
        if queues is self._known and not known:
            raise TooOften
        if known == (queues is self._known) and len(queues[address]) <= len(queues.get(newcomer, ())) + 1:
            raise TooOften
        waiter = queues[address][-1]
        _remove(queues, address, waiter)
        waiter.set_exception(TooOften())


def _remove(queues: Queues, address: str, waiter: Waiter) -> None:
    queues[address].remove(waiter)
    if not queues[address]:
        del queues[address]
