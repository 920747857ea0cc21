"""Whether control lives, and whether it can do its work: for load balancers and the supervisor."""

from __future__ import annotations

import asyncio

import sqlalchemy as sa
import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from control.clock import Clock
from control.live.nodes import Nodes
from control.storage import integrity
from control.storage.database import Store

EVERY = 10.0  # seconds between two looks at the disk and the database
READ_SHARE = 100  # times as long as reading the whole file took are between two such readings

log = structlog.get_logger()


class Health:
    """`database` is its URL."""

    def __init__(self, *, store: Store, nodes: Nodes, database: str, clock: Clock) -> None:
        self._store = store
        self._nodes = nodes
        self._file = integrity.file_of(database)
        self._clock = clock
        self._read_next = 0.0
        self._damage = ""
        self._problem = ""

    async def alive(self, request: Request) -> Response:
        """`GET /healthz`"""
        return PlainTextResponse("ok\n")

    async def accepts(self, request: Request) -> Response:
        """`GET /accepts`: for a balancer. Without its database too a node lets those in whom it knows."""
        return PlainTextResponse("draining\n", 503) if self._nodes.draining else PlainTextResponse("ok\n")

    async def ready(self, request: Request) -> Response:
        """`GET /readyz`: the database answers, and when last looked at was whole and took what was written."""
        await self._store.fetch_one(sa.select(sa.literal(1)))
        if self._problem:
            return PlainTextResponse(f"not ready: {self._problem}\n", 503)
        return PlainTextResponse("ok\n")

    async def look(self) -> None:
        """Once a while: a look writes."""
        problem = await self._found()
        if problem and problem != self._problem:
            log.error("not ready", problem=problem)
        if self._problem and not problem:
            log.info("ready again")
        self._problem = problem

    async def _found(self) -> str:
        if self._file is not None and self._clock.ticks() >= self._read_next:
            began = self._clock.ticks()
            self._damage = await asyncio.to_thread(integrity.damage, self._file)
            self._read_next = self._clock.ticks() + READ_SHARE * (self._clock.ticks() - began)
        if self._damage:
            return f"the database is damaged ({self._damage})"
        if self._file and (lack := await asyncio.to_thread(integrity.lack_of_space, self._file.parent)):
            return lack
        failure = await self._store.refuses_writes()
        return f"the database takes no writes ({failure})" if failure else ""
