"""What a stranger, or one with an account, can do to the HTTP port while people push and watch: nothing they notice."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress

import pytest

from tests.e2e.conftest import Node, Room

pytestmark = pytest.mark.anyio

JOINS, A_SECOND = 60, 20
LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
HEAD = b"POST /live/%b HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"


class Attacker:
    """One address, with a session of its own."""

    def __init__(self, node: Node, session: str) -> None:
        self.node = node
        self.session = session
        self.statuses: set[int] = set()

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        port = self.node.settings.http_port
        return await asyncio.open_connection("127.0.0.1", port, local_addr=("127.0.0.2", 0))

    async def over(self, connections: int, request: Callable[[int], bytes]) -> None:
        """Asks over and over, on so many connections. By hand: a client of a library would take this process's time, in
        which others join too."""

        async def on_one(number: int) -> None:
            while True:
                with suppress(OSError, asyncio.IncompleteReadError):
                    reader, writer = await self._connection()
                    try:
                        while True:
                            number += connections
                            writer.write(request(number))
                            head = await reader.readuntil(b"\r\n\r\n")
                            self.statuses.add(int(head.split()[1]))
                            await reader.readexactly(int(LENGTH.findall(head)[0]))
                    finally:
                        writer.transport.abort()

        await asyncio.gather(*(on_one(number) for number in range(connections)))

    async def unfinished(self, api: bytes, size: int, connections: int) -> None:
        """Bodies that are a byte short, begun again when they are given up."""

        async def one() -> None:
            while True:
                with suppress(OSError):
                    _, writer = await self._connection()
                    try:
                        writer.write(HEAD % (api, size) + b"x" * (size - 1))
                        await asyncio.sleep(60)
                    finally:
                        writer.transport.abort()

        await asyncio.gather(*(one() for _ in range(connections)))


def post(api: str, body: bytes) -> Callable[[int], bytes]:
    request = HEAD % (api.encode(), len(body)) + body
    return lambda _: request


async def many_values(attacker: Attacker) -> None:
    await attacker.over(2, post("ModifyUserHeadPic", b'{"a":[' + b"[]," * 2_700_000 + b"0]}"))


async def long_names(attacker: Attacker) -> None:
    body = {"account": "a" + "\u0300\u0316" * 10_000, "password": "secret-1"}
    await attacker.over(4, post("Login", json.dumps(body, ensure_ascii=False).encode()))


async def pictures(attacker: Attacker) -> None:
    body = b'{"sessionId":"%b","headPic":"%b"}' % (attacker.session.encode(), b"A" * 7_600_000)
    await attacker.over(8, post("ModifyUserHeadPic", body))  # as many as one address may have under way


async def unfinished_bodies(attacker: Attacker) -> None:
    await asyncio.gather(
        attacker.unfinished(b"Login", 60_000, 300), attacker.unfinished(b"ModifyUserHeadPic", 8_000_000, 40)
    )


async def made_up_tickets(attacker: Attacker) -> None:
    path = "/hls/made-up-{}/1000001/index.m3u8"
    await attacker.over(4, lambda number: f"GET {path.format(number)} HTTP/1.1\r\nHost: x\r\n\r\n".encode())


async def lists(attacker: Attacker) -> None:
    body = {"sessionId": attacker.session, "type": 1, "count": 100}
    await attacker.over(200, post("GetLiveRoomList", json.dumps(body).encode()))


async def searches(attacker: Attacker) -> None:
    body = {"sessionId": attacker.session, "keyword": "a"}
    await attacker.over(50, post("SearchLiveRoom", json.dumps(body).encode()))


async def joins(node: Node, room: Room) -> list[float]:
    """How long each of some joins took, in seconds. None may be refused."""

    async def join(number: int) -> float:
        await asyncio.sleep(number / A_SECOND)
        began = time.monotonic()
        async with node.player(room.play):
            return time.monotonic() - began

    return sorted(await asyncio.gather(*(join(number) for number in range(JOINS))))


@pytest.fixture
async def attacker(node: Node) -> AsyncIterator[Attacker]:
    yield Attacker(node, await node.user())


@pytest.mark.parametrize(
    "attack", [many_values, long_names, pictures, unfinished_bodies, made_up_tickets, lists, searches]
)
async def test_nobody_is_refused_or_cut_beside_it(
    node: Node, attacker: Attacker, attack: Callable[[Attacker], Awaitable[None]]
) -> None:
    room, control = await node.room(), node.pid("control")
    async with AsyncExitStack() as stack:
        publisher = await stack.enter_async_context(node.publisher(room.push))
        watcher = await stack.enter_async_context(node.player(room.play))
        await node.live(room)
        idle = await joins(node, room)
        attacking = asyncio.ensure_future(attack(attacker))
        try:
            beside = await joins(node, room)
        finally:
            attacking.cancel()
            await asyncio.wait([attacking])
        print(f"{attack.__name__}: p50 {idle[30] * 1000:.1f} -> {beside[30] * 1000:.1f} ms,", end=" ")
        print(f"longest {idle[-1] * 1000:.0f} -> {beside[-1] * 1000:.0f} ms, answers {attacker.statuses}")
        assert attacking.cancelled()
        assert not publisher.is_closed and not watcher.is_closed
        assert node.pid("control") == control
        await node.counted(room, 1, within=10)
