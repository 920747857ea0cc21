"""A proxy of the tests' own on a unix socket, between nginx and control: it can hold back, lose, repeat or forge.

It takes the socket's file away under another name, listens in its place, and puts it back at the end.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeAlias

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from control.serve import Server
from tests.chaos.scenes import replaced
from tests.e2e.conftest import Node

PassOn: TypeAlias = Callable[[], Awaitable[Response]]
Fault: TypeAlias = Callable[[str, PassOn], Awaitable[Response]]
"""Answers a request; gets the last part of its path, and what passes it on and returns the answer."""

OF_A_CONNECTION = {"connection", "content-length", "date", "keep-alive", "server", "transfer-encoding"}


async def none(call: str, pass_on: PassOn) -> Response:
    return await pass_on()


class Between:
    """`fault` can be changed at any time; `calls` are those that came so far."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.real = path.with_name("real-" + path.name)
        self.fault: Fault = none
        self.calls: list[str] = []
        self._app = Starlette(routes=[Route("/{path:path}", self._answer, methods=["GET", "POST"])])

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Between]:
        self.path.rename(self.real)
        limits = httpx.Limits(max_keepalive_connections=0)
        transport = httpx.AsyncHTTPTransport(uds=str(self.real), limits=limits)
        try:
            async with (
                httpx.AsyncClient(transport=transport, base_url="http://real", timeout=60) as self._http,
                _served(self._app, self._listening()),
            ):
                yield self
        finally:
            self.real.rename(self.path)

    def _listening(self) -> socket.socket:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self.path))
        found = self.real.stat()
        os.chown(self.path, found.st_uid, found.st_gid)
        shutil.copymode(self.real, self.path)
        return listener

    async def _answer(self, request: Request) -> Response:
        content = await request.body()
        call = request.url.path.rpartition("/")[2]
        self.calls.append(call)

        async def pass_on() -> Response:
            query = request.scope["query_string"].decode()
            target = request.scope["raw_path"].decode() + (f"?{query}" if query else "")
            answer = await self._http.request(request.method, target, content=content)
            headers = {name: value for name, value in answer.headers.items() if name not in OF_A_CONNECTION}
            return Response(answer.content, answer.status_code, headers | {"connection": "close"})

        return await self.fault(call, pass_on)


@asynccontextmanager
async def between(node: Node, path: Path) -> AsyncIterator[Between]:
    """Nothing goes round it: both sides keep their connections, so control is restarted, which ends them."""
    async with Between(path).running() as proxy:
        control = node.pid("control")
        node.hang_up()
        await replaced(node, "control", control)
        yield proxy


@asynccontextmanager
async def _served(app: Starlette, listener: socket.socket) -> AsyncIterator[None]:
    config = uvicorn.Config(app, ws="none", lifespan="off", log_config=None, timeout_graceful_shutdown=1)
    server = Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await serving
