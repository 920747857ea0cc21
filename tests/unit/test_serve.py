from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from control import serve
from control.serve import Server, server_of
from tests.support.world import HandClock

pytestmark = pytest.mark.anyio


async def hello(request: Request) -> Response:
    return PlainTextResponse("hello")


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "socket"))
    made = server_of(Starlette(routes=[Route("/", hello)]))
    serving = asyncio.create_task(made.serve(sockets=[listener]))
    yield made
    made.should_exit = True
    await serving


async def connected(server: Server, path: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection that the server has taken, and that has yet to say something."""
    await until(lambda: server.started)
    streams = await asyncio.open_unix_connection(str(path))
    await until(lambda: bool(server.server_state.connections))
    return streams


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise TimeoutError


async def test_who_has_connected_is_heard_before_the_end(server: Server, tmp_path: Path) -> None:
    reader, writer = await connected(server, tmp_path / "socket")
    server.should_exit = True
    await until(lambda: not server.servers[0].is_serving())
    writer.write(b"GET / HTTP/1.0\r\n\r\n")
    assert (await reader.read()).endswith(b"hello")
    writer.close()


async def test_a_connection_without_a_request_is_not_waited_for_long(server: Server, tmp_path: Path) -> None:
    server.clock = HandClock()
    reader, writer = await connected(server, tmp_path / "socket")
    server.should_exit = True
    await until(lambda: not server.servers[0].is_serving())
    await asyncio.sleep(0)
    server.clock.advance(serve.HEAR)
    assert await reader.read() == b""
    writer.close()
