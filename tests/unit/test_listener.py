"""Callbacks as nginx sends them, on a real socket, beside what else comes to the internal one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from uvicorn.server import ServerState

from control.nginx_rtmp.callbacks import YES, Answer
from control.nginx_rtmp.listener import LONGEST, CallbackProtocol
from control.serve import Server
from tests.support.serving import serving
from tests.support.stage import Stage
from tests.support.world import START, body

pytestmark = pytest.mark.anyio


@pytest.fixture(params=[True, False], ids=["uvloop", "asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    return "asyncio", {"use_uvloop": request.param}


@dataclass
class Internal:
    server: Server
    path: Path
    stage: Stage

    async def says(self, *pieces: bytes) -> bytes:
        """All that comes back until the connection ends."""
        reader, writer = await asyncio.open_unix_connection(str(self.path))
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.01)
        answer = await asyncio.wait_for(reader.read(), 5)
        writer.close()
        return answer

    def held(self) -> int:
        return len(self.stage.box.running.live.presence.all())


def asked(call: str, content: str, version: str = "1.0", where: str = f"local/{START}") -> bytes:
    head = f"POST /rtmp/{where}/{call} HTTP/{version}\r\nHost: x\r\nConnection: Close\r\nContent-Type: text/plain\r\n"
    return f"{head}Content-Length: {len(content)}\r\n\r\n{content}".encode()


@pytest.fixture
async def internal(stage: Stage, tmp_path: Path) -> AsyncIterator[Internal]:
    path, running = tmp_path / "internal.sock", stage.box.running
    async with serving(path, running.internal, partial(CallbackProtocol, running.callbacks)) as server:
        yield Internal(server, path, stage)


def play(internal: Internal, client: int = 1, pwd: str = "") -> str:
    return body("play", client, str(internal.stage.id), f"pwd={pwd or internal.stage.user}")


async def test_a_callback_is_answered_and_its_connection_ended(internal: Internal) -> None:
    assert await internal.says(asked("play", play(internal))) == b"HTTP/1.1 204 No Content\r\n\r\n"
    assert internal.held() == 1
    assert (await internal.says(asked("play", play(internal, 2, "wrong")))).startswith(b"HTTP/1.1 403 ")
    assert (await internal.says(asked("done", body("done", 1)))).startswith(b"HTTP/1.1 204 ")
    assert internal.held() == 0


@pytest.mark.parametrize("pieces", [1, 7, 50])
async def test_a_callback_in_pieces_is_one_all_the_same(internal: Internal, pieces: int) -> None:
    whole = asked("play", play(internal))
    step = len(whole) // pieces + 1
    parts = [whole[at : at + step] for at in range(0, len(whole), step)]
    assert (await internal.says(*parts)).startswith(b"HTTP/1.1 204 ")
    assert internal.held() == 1


async def test_updates_come_one_after_the_other_on_one_connection(internal: Internal) -> None:
    await internal.says(asked("play", play(internal)))
    reader, writer = await asyncio.open_unix_connection(str(internal.path))
    content = body("update", 1, str(internal.stage.id), f"pwd={internal.stage.user}", kind="play")
    for wanted, text in ((204, content), (403, content.replace("pwd=", "pwd=x")), (204, content)):
        writer.write(asked("update", text, "1.1").replace(b"Connection: Close\r\n", b""))
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        assert int(head.split()[1]) in (wanted, 204)
    writer.close()


async def test_everything_else_is_answered_as_before(internal: Internal) -> None:
    probe = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    assert (await internal.says(probe)).startswith(b"HTTP/1.1 200 OK")
    assert (await internal.says(asked("nonsense", "a=b"))).startswith(b"HTTP/1.1 404 ")
    assert (await internal.says(asked("play", "a=b"))).startswith(b"HTTP/1.1 400 ")
    assert (await internal.says(asked("play", play(internal), where=f"other/{START}"))).startswith(b"HTTP/1.1 403 ")
    long = play(internal) + "&" + "x" * LONGEST
    assert (await internal.says(asked("play", long))).startswith(b"HTTP/1.1 204 ")


@pytest.mark.parametrize(
    "head",
    [
        b"POST /rtmp/local/%b/play HTTP/1.0\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
        b"POST /rtmp/local/%b/play HTTP/1.0\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nabcde",
        b"POST /rtmp/local/%b/play HTTP/1.0\r\nContent-Length: 4\r\n\r\nabcde",
        b"POST /rtmp/local/%b/play\r\n\r\n",
        b"\x16\x03\x01\x00\xa5",
    ],
)
async def test_what_is_not_written_as_nginx_writes_it_lets_nobody_in(internal: Internal, head: bytes) -> None:
    reader, writer = await asyncio.open_unix_connection(str(internal.path))
    writer.write(head % START.encode() if b"%b" in head else head)
    writer.write_eof()
    try:
        answer = await asyncio.wait_for(reader.read(), 2)
    except TimeoutError:
        answer = b""
    writer.close()
    assert b" 204 " not in answer and internal.held() == 0


class Gone:
    """A connection whose other side has left: uvloop's raises where it is written to."""

    def is_closing(self) -> bool:
        return True

    def write(self, data: bytes) -> None:
        raise RuntimeError("the handler is closed")


class Slow:
    def judge_at_once(self, *asked: object) -> None:
        """It has to be waited for."""

    async def judge(self, *asked: object) -> Answer:
        await asyncio.sleep(0)
        return YES


async def test_a_verdict_that_nobody_waits_for_any_more_is_no_failure() -> None:
    parts: dict[str, Any] = {"config": None, "server_state": ServerState(), "app_state": {}}
    protocol = CallbackProtocol(cast(Any, Slow()), **parts)
    protocol.connection_made(cast(Any, Gone()))
    protocol.data_received(asked("play", body("play", 1)))
    [task] = parts["server_state"].tasks
    await task


async def test_an_ending_control_answers_what_is_under_way(internal: Internal) -> None:
    reader, writer = await asyncio.open_unix_connection(str(internal.path))
    await asyncio.sleep(0.05)
    internal.server.should_exit = True
    await asyncio.sleep(0.2)
    writer.write(asked("play", play(internal)))
    assert (await asyncio.wait_for(reader.read(), 5)).startswith(b"HTTP/1.1 204 ")
    writer.close()


async def test_a_publisher_whose_connection_asks_for_more_at_once_and_is_denied_is_not_held(internal: Internal) -> None:
    """Both are read before the first is judged. nginx closes the connection then, and tells of no end."""
    connections = [await asyncio.open_unix_connection(str(internal.path)) for _ in range(2)]
    anchor = f"pwd={internal.stage.anchor}"
    publish = asked("publish", body("publish", 11, str(internal.stage.id), anchor))
    for (_, writer), data in zip(connections, (publish, asked("play", play(internal, 11, "wrong"))), strict=True):
        writer.write(data)
    answers = [await asyncio.wait_for(reader.read(), 5) for reader, _ in connections]
    assert b" 403 " in answers[1]
    for _, writer in connections:
        writer.close()
    assert internal.held() == 0


async def test_the_same_where_both_are_read_in_one_turn(stage: Stage) -> None:
    parts: dict[str, Any] = {"config": None, "server_state": ServerState(), "app_state": {}}
    protocols = [CallbackProtocol(stage.box.running.callbacks, **parts) for _ in range(2)]
    for protocol in protocols:
        protocol.connection_made(cast(Any, Gone()))
    protocols[0].data_received(asked("publish", body("publish", 11, str(stage.id), f"pwd={stage.anchor}")))
    protocols[1].data_received(asked("play", body("play", 11, str(stage.id), "pwd=wrong")))
    await asyncio.gather(*parts["server_state"].tasks)
    assert stage.box.running.live.presence.all() == []
