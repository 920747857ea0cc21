"""Clients that take their time over what they have to say."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from control.api.bodies import ARRIVAL
from tests.e2e.conftest import Node, until

pytestmark = pytest.mark.anyio

HEAD = b"POST /live/%b HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"


async def given_up_after(node: Node, *pieces: bytes) -> float:
    """Seconds until the connection is closed on which these were sent, a second apart, and nothing more."""
    began = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", node.settings.http_port)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(1)
        await reader.read()
    except ConnectionError:
        pass
    finally:
        writer.close()
    return time.monotonic() - began


async def test_heads_and_bodies_that_do_not_come_are_given_up(node: Node) -> None:
    session = await node.user()
    picture = b'{"sessionId": "%b", "headPic": "' % session.encode()
    async with asyncio.timeout(25):
        times = await asyncio.gather(
            given_up_after(node, *[b"G"] * 30),
            given_up_after(node, HEAD % (b"Login", 60_000), b"{"),
            given_up_after(node, HEAD % (b"ModifyUserHeadPic", 8_000_000) + picture, b"x" * 5000),
        )
    assert max(times) < 20


@dataclass
class Drip:
    """A request whose body comes a drop a second, from an address that a proxy tells."""

    path: str
    head: str = "Content-Length: 60000"
    drop: bytes = b" "
    address: str = "198.51.100.7"
    answer: bytes = b""

    async def run(self, node: Node) -> float:
        """Until the connection is closed; how many seconds that took."""
        began = time.monotonic()
        reader, writer = await asyncio.open_connection("127.0.0.1", node.settings.http_port)
        told = f"X-Forwarded-For: {self.address}\r\nX-QPlus-Page: 1"
        try:
            writer.write(f"POST {self.path} HTTP/1.1\r\nHost: x\r\n{told}\r\n{self.head}\r\n\r\n".encode())
            while True:
                writer.write(self.drop)
                with suppress(TimeoutError):
                    async with asyncio.timeout(1):
                        part = await reader.read(4096)
                        if not part:
                            break
                        self.answer += part
        except ConnectionError:
            pass
        finally:
            writer.transport.abort()
        return time.monotonic() - began


CHUNKED = "Transfer-Encoding: chunked"


@pytest.mark.parametrize("options", [{"trusted_proxies": "127.0.0.1"}])
async def test_bodies_that_drip_are_given_up(node: Node) -> None:
    apis = [
        Drip(path, head, drop)
        for path in ("/live/Login", "/web/Login", "/confirm")
        for head, drop in (("Content-Length: 60000", b" "), (CHUNKED, b"1\r\n \r\n"))
    ]
    others = [
        Drip("/live/Login", CHUNKED, b"0"),  # of a length that never ends
        *(
            Drip(path, head, b"0")
            for path in ("/", "/static/common.js", "/events", "/alive", "/live/Nothing", "/live/GetUserHeadPic")
            for head in ("Content-Length: 60000", CHUNKED)
        ),
        Drip("/hls/t/1/index.m3u8", CHUNKED, b"0"),
    ]
    async with asyncio.timeout(40):
        times = await asyncio.gather(*(each.run(node) for each in apis + others))
    print(*zip([f"{each.path} {each.head}" for each in apis + others], times, strict=True), sep="\n")
    assert max(times) < ARRIVAL + 15  # the rest of what was refused is taken for 10 s more
    assert {each.answer.split()[1] for each in apis} == {b"408"}


@pytest.mark.parametrize("options", [{"trusted_proxies": "127.0.0.1"}])
async def test_a_login_is_answered_while_thousands_drip(node: Node) -> None:
    await node.user()
    drips = [Drip("/live/Login", address=f"2001:db8:0:{number % 17:x}::1") for number in range(17 * 250)]
    began = time.monotonic()
    tasks = [asyncio.create_task(each.run(node)) for each in drips]
    try:
        await until(lambda: asyncio.sleep(0, sum(b" 429 " in each.answer for each in drips) > 3000), 20)
        assert time.monotonic() - began < ARRIVAL  # those that were let in go on
        headers = {"X-Forwarded-For": "198.51.100.9"}
        for _ in range(20):
            answer = await node.http.post(
                "/live/Login", json={"account": "user1", "password": "secret-1"}, headers=headers
            )
            assert answer.status_code == 200 and answer.json()["status"] == 10000
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def test_bodies_that_come_whole_are_read_also_in_chunks(node: Node) -> None:
    await node.user()
    body = b'{"account": "user1", "password": "secret-1"}'

    async def chunks() -> AsyncIterator[bytes]:
        yield body[:20]
        yield body[20:] + b" " * 60_000

    for content in (body, body + b" " * 60_000, chunks()):
        assert (await node.http.post("/live/Login", content=content)).json()["status"] == 10000


async def test_a_body_that_nobody_wants_is_answered(node: Node) -> None:
    for path, status in (("/live/Nothing", 404), ("/live/GetUserHeadPic", 405), ("/web/WhoAmI", 403), ("/", 413)):
        for _ in range(20):
            answer = await node.http.post(path, content=b" " * 60_000)
            assert answer.status_code == status, path


async def test_an_upload_without_a_session_is_refused_before_it_comes(node: Node) -> None:
    stranger = b'{"sessionId": "%b", "headPic": "' % (b"n" * 32) + b"x" * 5000
    reader, writer = await asyncio.open_connection("127.0.0.1", node.settings.http_port)
    writer.write(HEAD % (b"ModifyUserHeadPic", 8_000_000) + stranger)
    async with asyncio.timeout(5):
        answer = await reader.readuntil(b"}")
    writer.close()
    assert b'"status":10003' in answer


async def test_a_node_behind_proxy_protocol_comes_up_and_is_asked_through_it(tmp_path: Path) -> None:
    node = Node(tmp_path / "node", proxy_protocol="on", trusted_proxies="127.0.0.1")
    node.start()
    try:
        await node.logged("rtmp://", 30)  # what the supervisor prints once all is ready
        reader, writer = await asyncio.open_connection("127.0.0.1", node.settings.http_port)
        writer.write(b"PROXY TCP4 198.51.100.7 192.0.2.1 4711 80\r\nGET /readyz HTTP/1.0\r\n\r\n")
        assert b" 200 OK" in await reader.read()
        writer.close()
    finally:
        assert await asyncio.to_thread(node.stop) == 0
        await node.http.aclose()
