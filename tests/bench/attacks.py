"""What attacks cost others: joins of a room by its right password, while a stranger does each of some things.

    .venv/bin/python -m tests.bench.attacks [PAIRS [NAME ...]]

On a node of its own. Twenty joins begin every second, however long they take, over IPv6; the attack comes from a
process of its own, over IPv4. Idle and attacked runs take turns, and the ratio is the median of pairs.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from tests.e2e.conftest import Node, Room, running
from tests.e2e.test_attacks import CRASH, nested
from tests.rtmp.client import Client
from tests.rtmp.connection import Connection

JOINS_A_SECOND, JOINS = 20, 200
VIEWERS = 200  # of the room that is looked at, beside those who join
SETTLE = 1.0  # seconds between two runs


class Target:
    """What a stranger knows of a node: its addresses, and a room of their own."""

    def __init__(self, rtmp: int, http: int, own: str, open_room: str) -> None:
        self.rtmp, self.http, self.own, self.open_room = rtmp, http, own, open_room

    @asynccontextmanager
    async def greeted(self) -> AsyncIterator[Connection]:
        async with await Connection.open("127.0.0.1", self.rtmp) as connection:
            yield connection

    async def throw(self, data: bytes) -> None:
        with suppress(ConnectionError, TimeoutError):
            async with self.greeted() as connection:
                connection._transport.write(data)
                await connection.closed()

    async def post(self, client: httpx.AsyncClient, api: str, body: Any) -> None:
        with suppress(httpx.HTTPError):
            await client.post(f"http://127.0.0.1:{self.http}/live/{api}", content=json.dumps(body))

    def web(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(timeout=60, limits=httpx.Limits(max_connections=None))


async def every(seconds: float, act: Callable[[], Awaitable[object]]) -> None:
    """Begins an act again and again, whatever becomes of those before."""
    under_way: set[asyncio.Task[object]] = set()
    while True:
        task = asyncio.ensure_future(act())
        under_way.add(task)
        task.add_done_callback(under_way.discard)
        await asyncio.sleep(seconds)


async def data_before_connect(target: Target) -> None:
    await every(0.1, lambda: target.throw(CRASH))


async def nested_values(target: Target) -> None:
    body = nested("connect", 40_000, 1)
    head = b"\x02\0\0\0\0\0\x04\x01\0\0\0\0\0\x10\0\0" + b"\x03\0\0\0" + len(body).to_bytes(3, "big") + b"\x14\0\0\0\0"
    await every(0.1, lambda: target.throw(head + body))


async def idle_connections(target: Target) -> None:
    """Thousands that say `connect` and nothing more; again, as they are put out."""

    async def one() -> None:
        with suppress(ConnectionError, TimeoutError):
            async with await Client.connect("127.0.0.1", target.rtmp) as client:
                await client.closed(within=30)

    await every(0.005, one)


async def unfinished_messages(target: Target) -> None:
    begun = b"".join(bytes([n]) + b"\0\0\0\x10\0\0\x08\0\0\0\0" + bytes(128) for n in range(4, 32))
    await every(0.05, lambda: target.throw(begun))


async def pipelined_plays(target: Target) -> None:
    async def one() -> None:
        with suppress(ConnectionError, TimeoutError):
            async with await Client.connect("127.0.0.1", target.rtmp) as client:
                await client.create_stream()
                for _ in range(2000):
                    await client.play(target.open_room, wait=False)
                await client.closed()

    await every(1, one)


async def plays_of_a_publisher(target: Target) -> None:
    """Of one that was let into a room of its own, and is read no more."""

    async def one() -> None:
        with suppress(ConnectionError, TimeoutError):
            async with await Client.connect("127.0.0.1", target.rtmp) as client:
                await client.create_stream()
                await client.publish(target.own)
                for _ in range(2000):
                    await client.play(target.open_room, wait=False)
                await client.closed()

    await every(1, one)


async def second_publishers(target: Target) -> None:
    async def one() -> None:
        with suppress(ConnectionError, TimeoutError):
            async with await Client.connect("127.0.0.1", target.rtmp) as client:
                await client.create_stream()
                await client.publish(target.own, within=20)
                await client.stream_media()

    await every(0.05, one)


async def guesses(target: Target) -> None:
    room = target.open_room.partition("?")[0]

    async def one() -> None:
        with suppress(ConnectionError, TimeoutError):
            async with await Client.connect("127.0.0.1", target.rtmp) as client:
                await client.create_stream()
                await client.play(f"{room}?pwd=0000")

    await every(0.02, one)


async def logins(target: Target) -> None:
    async with target.web() as web:
        await every(0.02, lambda: target.post(web, "Login", {"account": "user1", "password": "wrong-1"}))


async def combining_marks(target: Target) -> None:
    account = "a" + "\u0300" * 10_000 + "\u0316" * 10_000
    async with target.web() as web:
        await every(0.1, lambda: target.post(web, "Login", {"account": account, "password": "x"}))


async def large_bodies(target: Target) -> None:
    async with target.web() as web:
        await every(0.5, lambda: target.post(web, "Login", {"a": [[]] * 2_000_000}))
        await every(0.1, lambda: target.post(web, "Login", {"a": [[]] * 15_000}))


async def small_deep_bodies(target: Target) -> None:
    async with target.web() as web:
        await every(0.05, lambda: target.post(web, "Login", {"a": [[]] * 15_000}))


async def made_up_tickets(target: Target) -> None:
    number = 0
    async with target.web() as web:

        async def one() -> None:
            nonlocal number
            number += 1
            with suppress(httpx.HTTPError):
                await web.get(f"http://127.0.0.1:{target.http}/hls/t{number}/1000001/index.m3u8")

        await every(0.002, one)


async def unfinished_bodies(target: Target) -> None:
    head = b"POST /live/ModifyUserHeadPic HTTP/1.1\r\nHost: x\r\nContent-Length: 8000000\r\n\r\n"

    async def one() -> None:
        with suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", target.http)
            writer.write(head + bytes(7_999_999))
            await reader.read()
            writer.close()

    await every(0.1, one)


ATTACKS: dict[str, Callable[[Target], Awaitable[None]]] = {
    each.__name__: each
    for each in (
        data_before_connect,
        nested_values,
        idle_connections,
        unfinished_messages,
        pipelined_plays,
        plays_of_a_publisher,
        second_publishers,
        guesses,
        logins,
        combining_marks,
        large_bodies,
        small_deep_bodies,
        made_up_tickets,
        unfinished_bodies,
    )
}


async def join(node: Node, room: Room) -> float:
    """Seconds from nothing to Play.Start; infinite where it was refused."""
    began = time.perf_counter()
    try:
        async with node.client("::1") as client:
            await client.play(room.play)
            return time.perf_counter() - began
    except (ConnectionError, TimeoutError):
        return float("inf")


async def joins(node: Node, room: Room) -> list[float]:
    tasks = []
    for _ in range(JOINS):
        tasks.append(asyncio.create_task(join(node, room)))
        await asyncio.sleep(1 / JOINS_A_SECOND)
    return sorted(await asyncio.gather(*tasks))


@asynccontextmanager
async def attacked(name: str, target: Target) -> AsyncIterator[None]:
    command = [sys.executable, "-m", "tests.bench.attacks", "attack", name, json.dumps(vars(target))]
    attacker = await asyncio.create_subprocess_exec(*command)
    try:
        await asyncio.sleep(SETTLE)
        yield
    finally:
        assert attacker.returncode is None, "the attacker ended"
        attacker.kill()
        await attacker.wait()


def milliseconds(sample: list[float]) -> str:
    done = [each for each in sample if each != float("inf")]
    p50, p99 = statistics.median(done), done[int(len(done) * 0.99) - 1]
    return f"p50 {p50 * 1000:6.1f}  p99 {p99 * 1000:7.1f}  refused {len(sample) - len(done)}"


async def measure(node: Node, name: str, pairs: int, room: Room, target: Target, crowd: AsyncExitStack) -> None:
    ratios = []
    for turn in range(pairs):
        idle = await joins(node, room)
        async with attacked(name, target):
            under = await joins(node, room)
        await asyncio.sleep(SETTLE)
        print(f"  {name} {turn + 1}: idle {milliseconds(idle)} | attacked {milliseconds(under)}", flush=True)
        ratios.append(under[int(JOINS * 0.99) - 1] / idle[int(JOINS * 0.99) - 1])
    right = await node.players(room) == VIEWERS and await node.is_live(room)
    print(f"{name}: p99 x{statistics.median(ratios):.2f}, counts {'right' if right else 'WRONG'}", flush=True)


async def main(pairs: int, names: list[str]) -> None:
    with tempfile.TemporaryDirectory(prefix="qplus-attacks-") as folder:
        node = Node(Path(folder) / "node", rtmp_per_address=256 + VIEWERS, log_level="warning")
        async with running(node), AsyncExitStack() as crowd:
            room, own = await node.room(), await node.room()
            target = Target(node.settings.rtmp_port, node.settings.http_port, own.push, room.play)
            publisher = await crowd.enter_async_context(node.publisher(room.push, host="::1"))
            await node.live(room)
            viewers = [await crowd.enter_async_context(node.player(room.play, host="::1")) for _ in range(VIEWERS)]
            for name in names:
                await measure(node, name, pairs, room, target, crowd)
                cut = sum(each.is_closed for each in [publisher, *viewers])
                print(f"{name}: {cut} cut", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["attack"]:
        asyncio.run(ATTACKS[sys.argv[2]](Target(**json.loads(sys.argv[3]))))  # type: ignore[arg-type]
    else:
        asyncio.run(main(int((sys.argv[1:] or ["2"])[0]), sys.argv[2:] or list(ATTACKS)))
