"""What each of a node's rtmp nginx has."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx

from control.clock import SystemClock
from control.nginx_rtmp.stat import SeenClient, Snapshot, Stat
from tests.e2e.conftest import Node, Room
from tests.rtmp.client import Client


async def seen(node: Node, worker: int) -> Snapshot:
    transport = httpx.AsyncHTTPTransport(uds=str(node.settings.workers[worker].socket))
    async with httpx.AsyncClient(transport=transport, base_url="http://nginx") as http:
        return await Stat(http, SystemClock()).read()


async def clients(node: Node, worker: int) -> list[SeenClient]:
    """That came from outside."""
    found = (await seen(node, worker)).clients
    return [each for each in found if not each.is_relay and not each.encoder.startswith("LNX")]


async def where(node: Node, publishing: bool) -> list[int]:
    """How many publishers, or players, each nginx has."""
    there = [await clients(node, worker) for worker in range(3)]
    return [sum(each.publishing is publishing for each in some) for some in there]


async def gets_media(player: Client, within: float = 5.0) -> None:
    had = player.media
    await player.until(lambda: player.media > had + 5, within=within)


@asynccontextmanager
async def audience(node: Node, room: Room, number: int) -> AsyncIterator[list[Client]]:
    """Players who came one after the other, and so to one nginx after the other."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(node.player(room.play)) for _ in range(number)]
