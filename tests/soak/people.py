"""People who come and go at random, and note what they know.

Who leaves rudely resets the connection instead of closing it; some freeze before that, and send or take nothing.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field

import httpx

from tests.e2e.conftest import Node, Room
from tests.rtmp import flv
from tests.rtmp.client import Client
from tests.soak.known import LINGERS, NOTICED, Known

FRAMES = 5  # a second: the media is only there to be counted
LONG = 86400.0  # seconds: nobody stays so long
POLL = 2.0  # seconds between two looks at a playlist
ANCHOR_AWAY, AWAY, STAY = 15.0, 20.0, 60.0  # seconds, on average
RUDE, FREEZES = 0.4, 0.2  # shares of those who leave
FROZEN = (3.0, 10.0)  # seconds: shorter than nginx bears it


@dataclass(slots=True)
class Place:
    room: Room
    known: Known
    node: Node
    """Its anchor's."""


@dataclass
class Town:
    """The nodes, their rooms, and what befell people there."""

    nodes: list[Node]
    places: list[Place]
    entropy: random.Random
    moving: asyncio.Event = field(default_factory=asyncio.Event)
    """While it is clear everybody stays where they are."""
    joined: int = 0
    refused: int = 0
    cut: int = 0
    moved: int = 0
    """Players who were put out because their room's stream had come to another node."""

    def some_node(self) -> Node:
        return self.entropy.choice(self.nodes)

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    async def pause(self, mean: float) -> None:
        """Some seconds, and until people may move."""
        await asyncio.sleep(self.entropy.expovariate(1 / mean))
        await self.moving.wait()


async def anchor(town: Town, place: Place) -> None:
    """Pushes to one room, again and again."""
    while True:
        await town.pause(ANCHOR_AWAY)
        async with _connected(town, place.node) as client:
            if client and await _let_in(town, place.known, client.publish(place.room.push)):
                await _push(town, place.known, client)


async def _push(town: Town, known: Known, client: Client) -> None:
    sending = asyncio.create_task(client.stream_media(tags=flv.still(FRAMES)))
    known.goes_live(town.now(), True)
    try:
        town.cut += await _stays(town, client)
        if town.entropy.random() < FREEZES:
            sending.cancel()
            await asyncio.sleep(town.entropy.uniform(*FROZEN))
        known.goes_live(town.now(), False)
        if town.entropy.random() < RUDE:
            client.abort()
    finally:
        sending.cancel()
        await asyncio.wait([sending])


async def player(town: Town) -> None:
    """Watches one room after the other over RTMP."""
    while True:
        await town.pause(AWAY)
        place = town.entropy.choice(town.places)
        async with _connected(town, town.some_node()) as client:
            if client and await _let_in(town, place.known, client.play(place.room.play)):
                await _watch(town, place.known, client)


async def _watch(town: Town, known: Known, client: Client) -> None:
    known.joins(town.now())
    is_cut = await _stays(town, client)
    town.cut += is_cut and len(town.nodes) == 1
    town.moved += is_cut and len(town.nodes) > 1
    if not is_cut and town.entropy.random() < FREEZES:
        client.stall()
        await asyncio.sleep(town.entropy.uniform(*FROZEN))
    known.leaves(town.now())
    if town.entropy.random() < RUDE:
        client.abort()


async def hls_viewer(town: Town, session: str) -> None:
    """Watches one room after the other over HLS."""
    while True:
        await town.pause(AWAY)
        place = town.entropy.choice(town.places)
        known, node = place.known, town.some_node()
        known.begin(town.now())
        url = await _ticket(node, place.room, session)
        seen = await _poll(town, node, url)
        known.finish(town.now())
        if seen:
            known.joins(town.now())
            known.fades(town.now(), await _poll_on(town, node, url, seen))
        else:
            known.glanced(town.now())
        await asyncio.sleep(LINGERS + NOTICED)  # not to be taken for the same viewer


async def _ticket(node: Node, room: Room, session: str) -> str:
    """An address that nobody is let in at where none was to be had."""
    with suppress(httpx.TransportError, ValueError):
        reply = await node.api("PlayLiveStream", sessionId=session, liveroomId=room.id, status=1)
        return "/hls/" + str(reply["playHlsUrl"]).partition("/hls/")[2]
    return "/hls/none/0/index.m3u8"


async def _poll(town: Town, node: Node, url: str) -> float:
    """When the playlist was got; 0 where it was not."""
    with suppress(httpx.TransportError):
        if (await node.http.get(url)).status_code == 200:
            return town.now()
    return 0.0


async def _poll_on(town: Town, node: Node, url: str, seen: float) -> float:
    """Until they have enough or there is no more. Returns when the playlist was got last."""
    enough = town.now() + town.entropy.expovariate(1 / STAY)
    while town.now() < enough or not town.moving.is_set():
        await asyncio.sleep(POLL)
        got = await _poll(town, node, url)
        if not got:
            return seen
        seen = got
    return seen


@asynccontextmanager
async def _connected(town: Town, node: Node) -> AsyncIterator[Client | None]:
    async with AsyncExitStack() as stay:
        client = None
        with suppress(OSError, TimeoutError):
            client = await stay.enter_async_context(node.client())
        if client is None:
            town.refused += 1
        yield client


async def _let_in(town: Town, known: Known, asking: Coroutine[None, None, None]) -> bool:
    known.begin(town.now())
    try:
        await asking
    except (OSError, TimeoutError):
        town.refused += 1
        return False
    finally:
        known.finish(town.now())
    town.joined += 1
    return True


async def _stays(town: Town, client: Client) -> bool:
    """For as long as they like to, or until they are cut, which is told."""
    tasks = [asyncio.create_task(town.pause(STAY)), asyncio.create_task(client.closed(within=LONG))]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    return client.is_closed
