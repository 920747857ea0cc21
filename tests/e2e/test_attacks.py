"""What a stranger can do to the RTMP port while people push and watch: nothing that they would notice."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Node, Room
from tests.e2e.stand_in import workers
from tests.rtmp import amf
from tests.rtmp.chunks import ACKNOWLEDGEMENT, COMMAND, DATA, SET_CHUNK_SIZE, USER_CONTROL, Message
from tests.rtmp.client import Client, Refused
from tests.rtmp.connection import PING, Closed, Connection

pytestmark = pytest.mark.anyio

PLAYERS = 5
CRASH = bytes.fromhex("03000000000011120000000002000a") + b"onMetaData" + bytes.fromhex("03000009")


def nested(name: str, depth: int, *before: amf.Value) -> bytes:
    return amf.encode(name, *before) + b"\x03" + b"\x00\x01a\x03" * depth


class Busy:
    """A node with one room on air, and a stranger's connections to it."""

    def __init__(self, node: Node, room: Room, publisher: Client, players: list[Client]) -> None:
        self.node = node
        self.room = room
        self.publisher = publisher
        self.players = players
        self.workers = workers(node.pid("rtmp"))

    async def is_unharmed(self) -> None:
        """Nobody was cut, no process was lost, new people come in, and counts are right."""
        assert workers(self.node.pid("rtmp")) == self.workers
        assert not self.publisher.is_closed and not any(player.is_closed for player in self.players)
        async with self.node.player(self.room.play, host="::1") as newcomer:
            await newcomer.until(lambda: newcomer.media > 0)
            await self.node.counted(self.room, PLAYERS + 1, within=5)
        await self.node.counted(self.room, PLAYERS, within=5)
        assert await self.node.is_live(self.room)

    @asynccontextmanager
    async def stranger(self) -> AsyncIterator[Connection]:
        async with await Connection.open("127.0.0.1", self.node.settings.rtmp_port) as connection:
            yield connection

    async def throw(self, *sent: bytes) -> None:
        """Sends what should end the connection, after the greeting."""
        async with self.stranger() as connection:
            for each in sent:
                connection._transport.write(each)
            await connection.closed()


@pytest.fixture
def options() -> dict[str, Any]:
    return {"rtmp_per_address": 40, "rtmp_memory_mib": 512}


@pytest.fixture
async def busy(node: Node) -> AsyncIterator[Busy]:
    """Everybody but strangers comes over IPv6: limits are for each address."""
    room = await node.room()
    async with AsyncExitStack() as stack:
        publisher = await stack.enter_async_context(node.publisher(room.push, host="::1"))
        await node.live(room)
        players = [await stack.enter_async_context(node.player(room.play, host="::1")) for _ in range(PLAYERS)]
        await node.counted(room, PLAYERS, within=5)
        yield Busy(node, room, publisher, players)


async def test_data_before_connect(busy: Busy) -> None:
    for kind in (18, 20):
        for _ in range(3):
            await busy.throw(CRASH[:7] + bytes([kind]) + CRASH[8:])
    await busy.is_unharmed()


async def test_chunks_that_become_smaller(busy: Busy) -> None:
    """nginx-rtmp keeps 146 bytes of what it has read beyond the new size, here up to the end of the ping. It loses the
    header behind, and would take what is payload to everybody else for the next message."""

    def header(chunk_stream: int, kind: int, size: int) -> bytes:
        return bytes([chunk_stream, 0, 0, 0, *size.to_bytes(3, "big"), kind, 0, 0, 0, 0])

    ping = struct.pack(">HI", PING, 7) + bytes(127)
    smaller = header(2, SET_CHUNK_SIZE, 4) + (128).to_bytes(4, "big")
    smaller += header(5, USER_CONTROL, len(ping)) + ping[:128] + b"\xc5" + ping[128:]
    smaller += header(6, ACKNOWLEDGEMENT, 128) + bytes(68)
    async with busy.stranger() as connection:
        await connection.write(Message(SET_CHUNK_SIZE, 0, (65536).to_bytes(4, "big")))
        await connection.ping()
        connection._transport.write(smaller)
        with suppress(Closed):
            await connection.until(lambda: connection._ponged == 7)
            connection._transport.write(CRASH.ljust(60, b"\0"))
        await connection.closed()
    await busy.is_unharmed()


async def test_values_within_values(busy: Busy) -> None:
    body = nested("connect", 40_000, 1)
    head = b"\x02\0\0\0\0\0\x04\x01\0\0\0\0\0\x10\0\0" + b"\x03\0\0\0" + len(body).to_bytes(3, "big") + b"\x14\0\0\0\0"
    await busy.throw(head + body)
    await busy.is_unharmed()


async def test_values_within_values_of_one_who_was_let_in(busy: Busy) -> None:
    """The deepest that fits into a message; the guard reads publishers no more, so nginx-rtmp has the stack for it."""
    own = await busy.node.room()
    for kind in (DATA, COMMAND):
        async with busy.node.publisher(own.push) as anchor:
            await busy.node.live(own)
            await anchor.write(Message(SET_CHUNK_SIZE, 0, (65536).to_bytes(4, "big")))
            anchor._outgoing.chunk_size = 65536
            for name in ("onMetaData", "@setDataFrame"):
                deepest = nested(name, (1 << 20) // 4 - 20)
                with suppress(Closed):
                    await anchor.write(Message(kind, 0, deepest[: 1 << 20], anchor.stream))
                    await anchor.ping()
        await busy.node.off_air(own, within=5)
    await busy.is_unharmed()


@pytest.mark.parametrize("size", [0, 1])
async def test_chunks_of_next_to_nothing_from_one_who_was_let_in(busy: Busy, size: int) -> None:
    """nginx-rtmp keeps a buffer for each chunk of a message, a hundred times what came."""
    own = await busy.node.room()
    for _ in range(2):  # what the first took is there for everybody again
        await _with_tiny_chunks(busy, own, size)
        await busy.is_unharmed()


async def _with_tiny_chunks(busy: Busy, own: Room, size: int) -> None:
    async with busy.node.publisher(own.push, media=False) as anchor:
        await anchor.write(Message(SET_CHUNK_SIZE, 0, size.to_bytes(4, "big")))
        anchor._transport.write(b"\x04\0\0\0\x0f\x42\x40\x08\x01\0\0\0")
        for _ in range(12):
            anchor._transport.write(b"\xc4" * (1 << 20))
        await anchor.closed(within=30)


async def test_connections_that_say_nothing_more(busy: Busy) -> None:
    """One address has its share, and who stays a stranger goes after a while."""
    async with AsyncExitStack() as stack:
        opened = 0
        for _ in range(60):
            try:
                client = await Client.connect("127.0.0.1", busy.node.settings.rtmp_port)
            except Refused:
                continue
            stack.push_async_callback(client.close)
            opened += 1
        assert opened == 40
        await busy.is_unharmed()
        await client.closed(within=20)
    await busy.is_unharmed()


async def test_messages_that_are_not_finished(busy: Busy) -> None:
    before = memory(busy.node)
    begun = b"".join(bytes([number]) + b"\0\0\0\x10\0\0\x08\0\0\0\0" + bytes(128) for number in range(4, 32))
    await asyncio.gather(*(busy.throw(begun) for _ in range(30)))
    await busy.is_unharmed()
    assert memory(busy.node) - before < 8 << 20


async def test_plays_by_the_thousand_on_one_connection(busy: Busy) -> None:
    for _ in range(3):
        with suppress(ConnectionError):
            async with busy.node.client() as client:
                for _ in range(2000):
                    await client.play(busy.room.play, wait=False)
                await client.closed()
    await busy.is_unharmed()


@pytest.mark.parametrize("kind", ["publisher", "player"])
async def test_streams_by_the_dozen_on_one_connection_that_was_let_in(busy: Busy, kind: str) -> None:
    own = await busy.node.room()
    join: Callable[..., Any] = getattr(busy.node, kind)
    async with join(own.push if kind == "publisher" else own.play) as client:
        with suppress(ConnectionError):
            for _ in range(50):
                await client.play(busy.room.play, wait=False)
        await client.closed()
    await busy.is_unharmed()


async def test_second_publishers_of_ones_own_room(busy: Busy) -> None:
    """Each waits to see whether the first is silent."""
    own = await busy.node.room()
    async with busy.node.publisher(own.push):
        await busy.node.live(own)

        async def second() -> None:
            with pytest.raises(Refused):
                async with busy.node.client() as client:
                    await client.publish(own.push)

        await asyncio.gather(*(second() for _ in range(30)), busy.is_unharmed())
        assert await busy.node.is_live(own)
    await busy.is_unharmed()


def memory(node: Node) -> int:
    """Bytes that the rtmp nginx's largest process holds, its worker."""
    held = [Path(f"/proc/{pid}/statm").read_text().split()[1] for pid in workers(node.pid("rtmp"))]
    return max(map(int, held)) * 4096
