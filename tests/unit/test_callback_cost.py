"""What a callback takes of the processor, beside an endpoint that does nothing: a bound so wide that only a change in
kind passes it. `make bench` has the figures."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from control.nginx_rtmp.listener import CallbackProtocol
from tests.support.serving import serving
from tests.support.stage import Stage
from tests.support.world import START, body

pytestmark = pytest.mark.anyio
TURNS, PLAYERS = 7, 100
MOST = 2.0  # of what the bare endpoint takes, and the client: 0.9 on a quiet machine, 5 with a query each


async def call(path: Path, name: str, content: str) -> None:
    reader, writer = await asyncio.open_unix_connection(str(path))
    head = f"POST /rtmp/local/{START}/{name} HTTP/1.0\r\nHost: x\r\nConnection: Close\r\n"
    writer.write(f"{head}Content-Length: {len(content)}\r\n\r\n{content}".encode())
    assert (await reader.read()).split()[1] in (b"200", b"204")
    writer.close()


async def processor_time(work: Callable[[], Awaitable[None]]) -> float:
    began = time.process_time()
    await work()
    return time.process_time() - began


async def test_a_callback_takes_about_as_much_as_a_bare_endpoint(stage: Stage, tmp_path: Path) -> None:
    async def bare(request: Request) -> Response:
        await request.body()
        return Response()

    paths = [tmp_path / "bare.sock", tmp_path / "internal.sock"]
    running = stage.box.running

    async def come_and_go(path: Path) -> None:
        for client in range(1, PLAYERS + 1):
            shown = f"pwd={stage.user}"
            await call(path, "play", body("play", client, str(stage.id), shown))
            await call(path, "done", body("done", client))

    app = Starlette(routes=[Route("/{rest:path}", bare, methods=["POST"])])
    async with (
        serving(paths[0], app, "httptools"),
        serving(paths[1], running.internal, partial(CallbackProtocol, running.callbacks)),
    ):
        for path in paths:
            await come_and_go(path)  # until all is warm
        ratios = []
        for _ in range(TURNS):
            least, ours = [await processor_time(partial(come_and_go, path)) for path in paths]
            ratios.append(ours / least)
    assert statistics.median(ratios) < MOST, ratios
