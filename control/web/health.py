"""Whether control lives, and whether it can do its work: for load balancers and the supervisor."""

from __future__ import annotations

import sqlalchemy as sa
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from control.storage.database import Store


class Health:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def alive(self, request: Request) -> Response:
        """`GET /healthz`"""
        return PlainTextResponse("ok\n")

    async def ready(self, request: Request) -> Response:
        """`GET /readyz`: the database answers."""
        await self._store.fetch_one(sa.select(sa.literal(1)))
        return PlainTextResponse("ok\n")
