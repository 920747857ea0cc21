"""`python -m tests.bench.chat`: a chat with a thousand readers, and how long nginx's callbacks wait beside it."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench.processes import ENDPOINT, FRONT, family, pin, used
from tests.e2e.conftest import Node, Room, running
from tests.support.world import body

ADDRESSES = 4  # that readers come from: one has 500 streams of events
WRITERS = 50  # each may write 5 messages in 10 s
PAUSE = 0.005  # seconds between two callbacks
SETTLE = 1.0  # seconds before anything is measured
NUMBER = re.compile(rb'"number":(\d+),.*?"text":"([\d.]+)"')


@dataclass
class Heard:
    """What one reader was told: numbers in their order, and how long each took."""

    numbers: list[int] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)


async def read(number: int, port: int, path: str, cookie: str, heard: Heard) -> None:
    """Until it is cancelled."""
    source = (f"127.0.0.{2 + number % ADDRESSES}", 0)
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=source, limit=2**20)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: qplus_session={cookie}\r\n\r\n".encode())
    try:
        async for line in reader:
            if line.startswith(b'data: {"number"') and (found := NUMBER.search(line)):
                heard.waits.append(time.time() - float(found[2]))
                heard.numbers.append(int(found[1]))
    finally:
        writer.close()


async def read_all(port: int, path: str, cookie: str, count: int) -> None:
    """Says when all are there; tells what they heard once a line comes in."""
    heard = [Heard() for _ in range(count)]
    tasks = []
    for number, each in enumerate(heard):
        tasks.append(asyncio.create_task(read(number, port, path, cookie, each)))
        if number % 50 == 49:
            await asyncio.sleep(0.1)
    await asyncio.sleep(SETTLE)
    print("there", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    print(json.dumps([[each.numbers for each in heard], [each.waits for each in heard]]), flush=True)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


def probe(address: str, start: str, room: str, password: str, seconds: float) -> None:
    """A player that comes and goes: how long nginx waits for each answer. Ahead of all else on its core."""
    with suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
    waits, client, end = [], 10**6, time.monotonic() + seconds
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(address)
        while time.monotonic() < end:
            client += 1
            for call in ("play", "done"):
                content = body(call, client, room, f"pwd={password}").encode()
                head = f"POST /rtmp/local/{start}/{call} HTTP/1.1\r\nHost: c\r\nContent-Length: {len(content)}\r\n\r\n"
                began = time.perf_counter()
                connection.sendall(head.encode() + content)
                answer = connection.recv(4096)
                waits.append(time.perf_counter() - began)
                assert b" 204 " in answer, answer
            time.sleep(PAUSE)
    print(json.dumps(waits))


async def child(*arguments: str) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    command = [sys.executable, "-m", "tests.bench.chat", *arguments]
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, limit=2**30)
    pin([process.pid], FRONT)
    return process


async def said(process: asyncio.subprocess.Process) -> bytes:
    assert process.stdout is not None
    return await process.stdout.readline()


async def probed(node: Node, room: Room, seconds: float) -> list[float]:
    start = re.search(r"/rtmp/local/(\w+)/play", (node.settings.run_dir / "rtmp.conf").read_text())
    assert start is not None
    process = await child("probe", str(node.settings.internal_socket), start[1], str(room.id), room.user, str(seconds))
    found: list[float] = json.loads(await said(process))
    await process.wait()
    return found


async def write(node: Node, room: Room, writers: Sequence[str], rate: float, seconds: float) -> int:
    """How many were written. Each is the time at which it was sent."""
    count = int(rate * seconds)
    asked: list[asyncio.Task[dict[str, Any]]] = []
    for number in range(count):
        told: dict[str, Any] = {"liveRoomId": room.id, "text": f"{time.time():.6f}"}
        session = writers[number % len(writers)]
        asked.append(asyncio.create_task(node.api("SendRoomMessage", sessionId=session, **told)))
        await asyncio.sleep(1 / rate)
    replies = await asyncio.gather(*asked)
    assert all(reply["status"] == 10000 for reply in replies), replies[-1]
    return count


def p99(waits: Sequence[float]) -> float:
    return statistics.quantiles(waits, n=100)[98] * 1000


async def measure(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with running(Node(Path(folder) / "node", guess_limit=0, log_level="warning")) as node:
            room = await node.room()
            writers = [await node.user() for _ in range(WRITERS)]
            control = family(node.pid("control"))
            pin(control, ENDPOINT)
            pin([os.getpid()], FRONT)
            for part in ("rtmp", "web", "guard"):
                pin(family(node.pid(part)), FRONT)
            for _ in range(options.repetitions):
                await once(node, room, writers, control, options)


async def once(
    node: Node, room: Room, writers: Sequence[str], control: Sequence[int], options: argparse.Namespace
) -> None:
    idle = await probed(node, room, options.seconds)
    port, path = str(node.settings.http_port), f"/events/room/{room.id}"
    readers = await child("read", port, path, room.session, str(options.readers))
    await said(readers)
    quiet = await probed(node, room, options.seconds)
    before, began = used(control), time.monotonic()
    busy, count = await asyncio.gather(
        probed(node, room, options.seconds), write(node, room, writers, options.rate, options.seconds)
    )
    share = (used(control) - before) / (time.monotonic() - began)
    await asyncio.sleep(SETTLE)
    assert readers.stdin is not None
    readers.stdin.write(b"\n")
    numbers, waits = json.loads(await said(readers))
    await readers.wait()
    right = sum(each == list(range(each[0], each[0] + count)) for each in numbers if each)
    all_waits = [wait for each in waits for wait in each]
    print(
        f"{right} of {options.readers} readers had each of {count} messages once, in order;"
        f" after {statistics.median(all_waits):.2f} s, {max(all_waits):.2f} s at the most;"
        f" callbacks' p50 {statistics.median(idle) * 1000:.2f} {statistics.median(quiet) * 1000:.2f}"
        f" {statistics.median(busy) * 1000:.2f} ms, p99 {p99(idle):.2f} idle, {p99(quiet):.2f} with silent readers,"
        f" {p99(busy):.2f} ms ({p99(busy) / p99(idle):.2f} of idle); control {share:.0%} of a core",
        flush=True,
    )


def main() -> None:
    match sys.argv[1:]:
        case ["read", port, path, cookie, count]:
            asyncio.run(read_all(int(port), path, cookie, int(count)))
        case ["probe", address, start, room, password, seconds]:
            probe(address, start, room, password, float(seconds))
        case _:
            parser = argparse.ArgumentParser(description=__doc__)
            parser.add_argument("--readers", type=int, default=1000)
            parser.add_argument("--rate", type=float, default=20.0, help="messages a second")
            parser.add_argument("--seconds", type=float, default=10.0)
            parser.add_argument("--repetitions", type=int, default=3)
            asyncio.run(measure(parser.parse_args()))


if __name__ == "__main__":
    main()
