"""What one node asks others, by way of the log: who watches there, and whether somebody is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from weakref import WeakValueDictionary

import orjson

from control.clock import Clock
from control.entropy import Entropy
from control.live.nodes import Nodes
from control.ops.loops import once
from control.storage.database import Store
from control.storage.log import Entry, Log

ASKED, ANSWERED = "asked", "answered"
WAITED = 1.5  # seconds for all answers, where they are at hand: the log is read three times a second

Answering = Callable[..., Awaitable[Any]]
"""Given the room and what was asked besides; what it returns is told as JSON."""


@dataclass
class _Open:
    missing: set[str]
    """Nodes that have not answered."""
    answers: list[Any] = field(default_factory=list)
    done: asyncio.Event = field(default_factory=asyncio.Event)


class Questions:
    def __init__(self, *, store: Store, log: Log, nodes: Nodes, clock: Clock, entropy: Entropy) -> None:
        self._store = store
        self._log = log
        self._nodes = nodes
        self._clock = clock
        self._entropy = entropy
        self._answering: dict[str, Answering] = {}
        self._open: dict[str, _Open] = {}
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        self._asides: set[asyncio.Task[None]] = set()
        self._log.on(ASKED, self._asked)
        self._log.on(ANSWERED, self._answered)

    def answer(self, what: str, answering: Answering) -> None:
        self._answering[what] = answering

    async def ask(
        self, nodes: Collection[str], what: str, room_id: int, *more: Any, within: float = WAITED
    ) -> list[Any]:
        """What those of the nodes that live answered within so many seconds. Of one room one thing at a time: each
        question is written down, and read by all."""
        of = self._nodes.others.keys() & set(nodes)
        if not of:
            return []
        async with self._turns.setdefault(room_id, asyncio.Lock()):
            return await self._ask(of, what, room_id, more, within)

    async def _ask(self, of: set[str], what: str, room_id: int, more: Sequence[Any], within: float) -> list[Any]:
        number, asked = self._entropy.noise(8).hex(), _Open(of)
        self._open[number] = asked
        try:
            await self._say(ASKED, room_id, number, what, more, sorted(of))
            with suppress(TimeoutError):
                async with self._clock.within(within):
                    await asked.done.wait()
        finally:
            del self._open[number]
        return asked.answers

    async def _say(self, kind: str, room_id: int, *said: Any) -> None:
        await self._store.write(self._log.entries([(kind, room_id, 0, orjson.dumps(said).decode())]))

    def _asked(self, entry: Entry) -> None:
        if self._nodes.me.name not in orjson.loads(entry.details)[-1]:
            return
        task = asyncio.create_task(once("question of another node", partial(self._reply, entry)))
        self._asides.add(task)
        task.add_done_callback(self._asides.discard)

    async def _reply(self, entry: Entry) -> None:
        number, what, more, _ = orjson.loads(entry.details)
        answering = self._answering.get(what)  # a later release may ask for more
        answer = await answering(entry.room_id, *more) if answering else None
        await self._say(ANSWERED, entry.room_id, number, answer)

    def _answered(self, entry: Entry) -> None:
        number, answer = orjson.loads(entry.details)
        asked = self._open.get(number)
        if asked is None or entry.node not in asked.missing:
            return
        asked.missing.remove(entry.node)
        if answer is not None:
            asked.answers.append(answer)
        if not asked.missing:
            asked.done.set()
