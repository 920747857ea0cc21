"""Clients that take their time over what they have to say."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from tests.e2e.conftest import Node

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
