"""What every test here begins with and comes back to: a live room, and what nginx has of it."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path

import httpx

from control.clock import SystemClock
from control.nginx_rtmp.stat import Stat
from tests.e2e.conftest import Node, Room, until
from tests.rtmp.client import Client

UPDATE = 1  # seconds between nginx's questions about a session, for most tests here
LEASE = 2 * UPDATE + 2  # seconds that a session is believed in for which nobody vouches
REPAIRED = 10.0  # seconds within which status and counts are right again, whatever went wrong


@asynccontextmanager
async def broadcast(node: Node, viewers: int = 3) -> AsyncIterator[tuple[Room, list[Client]]]:
    """A live room and everybody in it, the publisher first."""
    room = await node.room()
    async with AsyncExitStack() as stay:
        publisher = await stay.enter_async_context(node.publisher(room.push))
        players = [await stay.enter_async_context(node.player(room.play)) for _ in range(viewers)]
        await right(node, room, live=True, players=viewers)
        yield room, [publisher, *players]


async def right(node: Node, room: Room, live: bool, players: int) -> None:
    """Waits until the API and nginx both say so, as long as a repair may take."""

    async def told() -> bool:
        said = (await node.is_live(room), await node.players(room))
        return said == (live, players) and await at_nginx(node, room) == said

    await until(told, REPAIRED)


async def at_nginx(node: Node, room: Room, socket: Path | None = None) -> tuple[bool, int]:
    """Whether nginx has a publisher of the room that sends, and how many players; `socket` is where to ask."""
    transport = httpx.AsyncHTTPTransport(uds=str(socket or node.settings.workers[0].socket))
    async with httpx.AsyncClient(transport=transport, base_url="http://nginx") as http:
        seen = await Stat(http, SystemClock()).read()
    here = [client for client in seen.clients if client.name == str(room.id) and not client.is_relay]
    live = any(client.publishing and client.active for client in here)
    return live, sum(not client.publishing for client in here)


async def listed(node: Node, room: Room) -> list[int]:
    """The live rooms in their order."""
    rooms = (await node.api("GetLiveRoomList", sessionId=room.session, type=1))["list"]
    return [each["liveRoomId"] for each in rooms]


async def replaced(node: Node, part: str, old: int, within: float = 10.0) -> None:
    """Waits until a part runs under another pid, and the node is ready."""

    async def new() -> bool:
        with suppress(FileNotFoundError):  # between two lives
            return node.pid(part) != old
        return False

    await until(new, within)
    await node.ready()


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def worker_of(master: int) -> int:
    return children_of(master)[0]


@contextmanager
def frozen(*pids: int) -> Iterator[None]:
    """Stopped where they are, and woken whatever happens."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def nobody_was_cut(clients: list[Client]) -> bool:
    return not any(client.is_closed for client in clients)
