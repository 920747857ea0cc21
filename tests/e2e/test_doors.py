"""Every address that an nginx of a node listens on: a client needs a verdict there, or no client gets there."""

from __future__ import annotations

import asyncio
import re
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Node, Room
from tests.rtmp.client import Client, Refused

pytestmark = pytest.mark.anyio


def listened(node: Node) -> set[str]:
    """What stands behind each `listen`."""
    files = [file.read_text() for file in sorted(node.settings.run_dir.glob("*.conf"))]
    assert len(files) == 3
    return {found for text in files for found in re.findall(r"^ *listen ([^ ;]+)", text, re.MULTILINE)}


@pytest.fixture
async def live(node: Node) -> AsyncIterator[Room]:
    room = await node.room()
    async with node.publisher(room.push):
        await node.live(room)
        yield room


async def refused(connect: object, room: Room) -> None:
    """Whether who connects in this way neither publishes nor plays without the right password."""
    assert callable(connect)
    for ask in ("publish", "play"):
        for password in ("wrong", room.user if ask == "publish" else room.anchor, ""):
            with pytest.raises(Refused):
                async with await connect() as client:
                    await client.create_stream()
                    await getattr(client, ask)(f"{room.id}?pwd={password}")


async def test_no_listen_is_forgotten(node: Node) -> None:
    settings = node.settings
    doors = {
        str(settings.rtmp_port),
        f"[::]:{settings.rtmp_port}",
        str(settings.http_port),
        f"[::]:{settings.http_port}",
    }
    sockets = {f"unix:{settings.workers[0].socket}", f"unix:{settings.questions_socket}"}
    inside = {each for each in listened(node) if each.startswith("127.0.0.1:")}
    assert listened(node) == doors | sockets | inside
    assert len(inside) == 4  # the guarded port, relays, HLS and updates: below


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_clients_come_to_the_guard(node: Node, live: Room, host: str) -> None:
    await refused(lambda: Client.connect(host, node.settings.rtmp_port), live)
    for application in ("hls", "", "live/../hls", "stat"):
        with pytest.raises(Refused):
            async with await Client.connect(host, node.settings.rtmp_port, application) as client:
                await client.create_stream()
                await client.publish(str(live.id))


async def test_behind_the_guard_a_verdict_is_needed_too(node: Node, live: Room) -> None:
    """For others on this machine; what they say of their address is believed there."""
    port = inner_port(node, r"listen 127\.0\.0\.1:(\d+) proxy_protocol;")

    async def connect() -> Client:
        client = ToldClient()
        return await client.begin("127.0.0.1", port)

    await refused(connect, live)
    with pytest.raises((Refused, TimeoutError)):
        await Client.connect("127.0.0.1", port, within=2)


async def test_where_relays_come_in_a_verdict_is_needed_too(node: Node, live: Room) -> None:
    port = inner_port(node, r"listen 127\.0\.0\.1:(\d+);  # other rtmp nginx")
    await refused(lambda: Client.connect("127.0.0.1", port), live)


async def test_nobody_else_publishes_or_plays_hls(node: Node, live: Room) -> None:
    port = inner_port(node, r"push rtmp://127\.0\.0\.1:(\d+)/hls-[0-9a-f]{32};")
    for application in ("hls", "live", "", f"hls-{'0' * 32}"):
        for ask in ("publish", "play"):
            with pytest.raises(Refused):
                async with await Client.connect("127.0.0.1", port, application) as client:
                    await client.create_stream()
                    await getattr(client, ask)(str(live.id))


async def test_updates_are_nobody_elses(node: Node, live: Room) -> None:
    port = inner_port(node, r"on_update http://127\.0\.0\.1:(\d+)/")
    for path in ("/", "/grace", "/rtmp/local/1/update", "/rtmp/local//publish", "/stat", "/control/drop/client"):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"POST {path} HTTP/1.0\r\nContent-Length: 0\r\n\r\n".encode())
        assert b" 404 " in await reader.readline()
        writer.close()
        await writer.wait_closed()


async def test_the_front_door_leads_to_no_inner_one(node: Node, live: Room) -> None:
    for path in (
        "/rtmp/local/1/publish",
        "/stat",
        "/control",
        "/grace",
        "/metrics",
        "/hls-verdict",
        "/hls",
        "/local/control",
    ):
        assert (await node.http.post(path)).status_code in (404, 405)
    for ticket in ("x", "x" * 160, "~"):
        for file in ("index.m3u8", "1.ts"):
            assert (await node.http.get(f"/hls/{ticket}/{live.id}/{file}")).status_code == 403


async def test_no_other_user_reaches_the_sockets(node: Node) -> None:
    assert not stat.S_IMODE(node.settings.sockets.stat().st_mode) & 0o007


def inner_port(node: Node, pattern: str) -> int:
    return int(re.findall(pattern, Path(node.settings.run_dir / "rtmp.conf").read_text())[0])


class ToldClient(Client):
    """One that tells its address first."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(b"PROXY TCP4 203.0.113.9 127.0.0.1 5000 1935\r\n")
        super().connection_made(transport)

    async def begin(self, host: str, port: int) -> Client:
        return await type(self).connect(host, port)
