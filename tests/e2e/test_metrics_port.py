"""`/metrics` on a port of its own."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.conftest import Node, running
from tests.e2e.ports import free_ports
from tests.e2e.test_commands import qplus

pytestmark = pytest.mark.anyio


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    async with running(Node(tmp_path / "node", metrics_port=free_ports(1)[0])) as started:
        yield started


async def page(node: Node) -> str:
    async with httpx.AsyncClient() as http:
        return (await http.get(f"http://127.0.0.1:{node.settings.metrics_port}/metrics")).raise_for_status().text


async def test_prometheus_is_answered_also_after_an_upgrade(node: Node) -> None:
    room = await node.room()
    async with node.publisher(room.push), node.player(room.play):
        await node.live(room)
        await node.counted(room, 1)
        told = await page(node)
    assert 'qplus_callback_seconds_count{call="publish"} 1.0' in told
    assert 'qplus_sessions{node="local",protocol="rtmp",role="player"} 1.0' in told
    assert f'qplus_room_viewers{{room="{room.id}"}} 1.0' in told
    assert qplus(node, "upgrade").returncode == 0
    assert "qplus_build_info" in await page(node)


async def test_a_port_that_is_taken_keeps_nobody_out(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        node = Node(tmp_path / "node", metrics_port=taken.getsockname()[1])
        async with running(node):
            await node.logged("metrics port not opened")
            room = await node.room()
            async with node.publisher(room.push):
                await node.live(room)
