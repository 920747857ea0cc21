"""The product under test: a whole node, pinned, with rooms of which one is live."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench.baselines import MANY
from tests.bench.processes import ENDPOINT, FRONT, family, pin
from tests.e2e.conftest import Node, Room, running
from tests.rtmp.chunks import VIDEO
from tests.rtmp.flv import Tag, still

FRAME, FRAMES_A_SECOND = 10_000, 25  # bytes: 2 Mbit/s
PADDING = 1800  # bytes a frame, inside it: segments of some 55 kB
USERS, VIEWERS = 16, 50


@dataclass
class Product:
    node: Node
    rooms: list[Room] = field(default_factory=list)
    """The first is live."""

    @property
    def control(self) -> list[int]:
        return family(self.node.pid("control"))

    def pin(self) -> None:
        rtmp = [worker.name for worker in self.node.settings.workers]
        for part in (*rtmp, "web", *(["guard"] if self.node.settings.has_guard else [])):
            pin(family(self.node.pid(part)), FRONT)
        pin(self.control, ENDPOINT)
        pin([self.node.pid("supervisor")], ENDPOINT)

    async def tickets(self, number: int) -> list[str]:
        """Of that many viewers of the live room."""
        found = []
        for _ in range(number):
            session = await self.node.user()
            asked: dict[str, Any] = {"sessionId": session, "liveroomId": self.rooms[0].id, "status": 1}
            answer = await self.node.api("PlayLiveStream", **asked)
            found.append(str(answer["playRtmpUrl"]).partition("ticket=")[2])
        return found


def film() -> Iterator[Tag]:
    """A still picture, and as much beside it as an encoder would send."""
    for tag in still(FRAMES_A_SECOND):
        key = tag.type == VIDEO and len(tag.body) > 5 and tag.body[0] >> 4 == 1
        yield Tag(tag.type, tag.timestamp, tag.body + bytes(FRAME)) if tag.type == VIDEO and not key else tag


@asynccontextmanager
async def product(folder: Path, guard: str = "off", rooms: int = USERS, **more: Any) -> AsyncIterator[Product]:
    """Ready, with that many rooms, and none live."""
    node = Node(folder / "node", guard=guard, log_level="warning", address_requests=MANY, **more)
    with redirect_stdout(sys.stderr):  # its log, at the end
        async with running(node):
            made = Product(node)
            made.pin()
            for _ in range(rooms):
                made.rooms.append(await node.room())
            with redirect_stdout(sys.__stdout__):
                yield made


@asynccontextmanager
async def on_air(made: Product, tags: Iterator[Tag] | None = None) -> AsyncIterator[None]:
    """With its first room live meanwhile; `tags` are by default such that HLS has segments of some 55 kB."""
    async with made.node.client() as publisher:
        await publisher.publish(made.rooms[0].push)
        sending = asyncio.create_task(publisher.stream_media(tags=tags or still(FRAMES_A_SECOND, PADDING)))
        try:
            await made.node.live(made.rooms[0], within=10)
            yield
        finally:
            sending.cancel()
            await asyncio.wait([sending])
