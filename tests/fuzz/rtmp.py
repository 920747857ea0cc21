"""Random connections to the RTMP port of a node with people on it."""

from __future__ import annotations

import asyncio
import random
import re
import time
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import httpx

from tests.e2e.conftest import Node, Room
from tests.e2e.stand_in import processes, workers
from tests.fuzz.sequences import Rooms, wire
from tests.rtmp.client import Client

AT_ONCE = 16
BATCH = 200  # sequences between two looks
LINGER = 0.1  # seconds that a connection waits for what is said to it, if it is let
PLAYERS = 3
YES = r'callbacks_total\{answer="yes",call="(?:publish|play)"\} (\S+)'
PARTS = ("control", "guard", "rtmp", "web")


class Harm(Exception):
    """Somebody noticed. The message tells what, and the seed that does it again."""


class Watched:
    """A node, a room on air, and those who watch it."""

    def __init__(self, node: Node, room: Room, publisher: Client, players: list[Client]) -> None:
        self.node = node
        self.room = room
        self._publisher = publisher
        self._players = players
        self._processes = self._all()

    def look(self, seed: int) -> None:
        """Raises Harm."""
        if (now := self._all()) != self._processes:
            raise Harm(f"processes {self._processes} are {now}, seed {seed}")
        if self._publisher.is_closed or any(player.is_closed for player in self._players):
            raise Harm(f"a stream was cut, seed {seed}")

    async def look_closely(self, seed: int) -> None:
        """Raises Harm also where counts are wrong, or nobody new gets in."""
        self.look(seed)
        try:
            async with self.node.player(self.room.play) as newcomer:
                await newcomer.until(lambda: newcomer.media > 0)
            await self.node.counted(self.room, PLAYERS, within=10)
            await self.node.live(self.room)
        except (ConnectionError, TimeoutError) as failure:
            raise Harm(f"{type(failure).__name__}: {failure}, seed {seed}") from failure

    def _all(self) -> dict[str, list[int]]:
        nginxes = {part: workers(self.node.pid(part)) for part in PARTS if part not in ("web", "control")}
        return {"control": [self.node.pid("control")], **nginxes}  # whose own children come and go


async def watched(node: Node, stay: AsyncExitStack) -> Watched:
    room = await node.room()
    publisher = await stay.enter_async_context(node.publisher(room.push))
    await node.live(room)
    players = [await stay.enter_async_context(node.player(room.play)) for _ in range(PLAYERS)]
    await node.counted(room, PLAYERS, within=10)
    return Watched(node, room, publisher, players)


async def one(port: int, seed: int, rooms: Rooms) -> None:
    """One connection."""
    chance = random.Random(seed)
    parts = wire(chance, rooms)
    with suppress(ConnectionError, TimeoutError, OSError):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(b"\x03" + bytes(1536))
            if chance.random() < 0.95:
                async with asyncio.timeout(5):
                    await reader.readexactly(1 + 2 * 1536)
                writer.write(bytes(1536))
            first, then = parts
            send(chance, writer, first)
            await read(reader, LINGER)
            send(chance, writer, then)
            await read(reader, LINGER)
        finally:
            writer.transport.abort()


def send(chance: random.Random, writer: asyncio.StreamWriter, data: bytes) -> None:
    """In writes of all sizes."""
    at = 0
    while at < len(data) and not writer.is_closing():
        size = chance.choice([1, 7, 128, 4096, len(data)])
        writer.write(data[at : at + size])
        at += size


async def read(reader: asyncio.StreamReader, seconds: float) -> None:
    """What comes within so many seconds. Raises ConnectionError at the end."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while await reader.read(65536):
                pass
            raise ConnectionResetError


async def let_in(node: Node) -> int:
    """How often nginx was told yes to a publish or a play."""
    transport = httpx.AsyncHTTPTransport(uds=str(node.settings.internal_socket))
    async with httpx.AsyncClient(transport=transport, base_url="http://control") as http:
        text = (await http.get("/metrics")).text
    return sum(int(float(each)) for each in re.findall(YES, text))


async def run(node: Node, seconds: float, seed: int, least: int = 0) -> tuple[int, int]:
    """How many connections there were, and how many publishers and players among them were let in. Raises Harm."""
    async with AsyncExitStack() as stay:
        scene = await watched(node, stay)
        own = await node.room()
        admitted = await let_in(node)
        rooms = Rooms(own.push, scene.room.play, f"{scene.room.id}?pwd=wrong")
        until, done = time.monotonic() + seconds, 0
        while time.monotonic() < until or done < least:
            first = seed + done
            numbers = iter(range(first, first + BATCH))

            async def several(numbers: object = numbers) -> None:
                for number in numbers:  # type: ignore[attr-defined]
                    await one(node.settings.rtmp_port, number, rooms)

            await asyncio.gather(*(several() for _ in range(AT_ONCE)))
            done += BATCH
            scene.look(first)
            if done % (BATCH * 10) == 0:
                await scene.look_closely(first)
        await scene.look_closely(seed + done)
        return done, await let_in(node) - admitted


def memory(node: Node) -> int:
    """Bytes of all processes of a node but the web nginx."""
    pids = {pid for part in PARTS for pid in processes(node.pid(part))}
    return sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 for pid in pids)
