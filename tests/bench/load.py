"""An RTMP load client: players that join, as many at a time as wanted, with bytes made before.

One join is what a player does: handshake, `connect`, `createStream`, `play`, each after the answer to the one before,
until NetStream.Play.Start. Answers are looked for, not read, so that one core makes thousands of joins a second.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import cast

from tests.rtmp import amf
from tests.rtmp.chunks import COMMAND, SET_CHUNK_SIZE, Message, Writer

HANDSHAKE = 1 + 1536 + 1536  # bytes of S0, S1 and S2
HELLO = bytes([3]) + bytes(1536)
WITHIN = 30.0  # seconds until a join counts as failed


class Failed(Exception):
    """A join that was refused, cut, or not answered in time."""


@dataclass(frozen=True, slots=True)
class Words:
    """What a player of one room says; the same for each of its players."""

    connect: bytes
    create: bytes
    play: bytes

    @classmethod
    def of(cls, port: int, name: str) -> Words:
        url = f"rtmp://127.0.0.1:{port}/live"
        writer = Writer()

        def said(message: Message) -> bytes:
            return writer.encode(message, 2 if message.type == SET_CHUNK_SIZE else 3)

        size = said(Message(SET_CHUNK_SIZE, 0, (4096).to_bytes(4, "big")))
        asked = amf.encode("connect", 1, {"app": "live", "flashVer": "LNX 9,0,124,2", "tcUrl": url})
        return cls(
            size + said(Message(COMMAND, 0, asked, 0)),
            said(Message(COMMAND, 0, amf.encode("createStream", 2, None), 0)),
            said(Message(COMMAND, 0, amf.encode("play", 0, None, name, -2.0), 1)),
        )


class Player(asyncio.Protocol):
    """`quick` acknowledges at once and so shows the server's own time; without it the kernel delays, as players' do."""

    def __init__(self, words: Words, quick: bool) -> None:
        self._words, self._quick = words, quick
        self._received = b""
        self._next = self._greeted
        self._transport: asyncio.Transport | None = None
        self._socket: socket.socket | None = None
        self.joined: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.lost = False
        self.received = 0
        """Bytes, once it has joined."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are, but for their class
        self._socket = transport.get_extra_info("socket")
        self._acknowledge()
        self._transport.write(HELLO)

    def data_received(self, data: bytes) -> None:
        self._acknowledge()
        if self.joined.done():
            self.received += len(data)
            return
        self._received += data
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        if not self.joined.done():
            self.joined.set_exception(Failed("closed"))

    def close(self) -> None:
        if self._transport:
            self._transport.abort()

    def _acknowledge(self) -> None:
        # The kernel forgets it after a few segments, so it is said again for each.
        if self._quick and self._socket:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    def _say(self, words: bytes, then: Callable[[], None]) -> None:
        assert self._transport
        self._received, self._next = b"", then
        self._transport.write(words)

    def _greeted(self) -> None:
        if len(self._received) >= HANDSHAKE:
            self._say(self._received[1:1537] + self._words.connect, self._connected)

    def _connected(self) -> None:
        if b"_result" in self._received and b"NetConnection.Connect.Success" in self._received:
            self._say(self._words.create, self._created)

    def _created(self) -> None:
        if b"_result" in self._received:
            self._say(self._words.play, self._playing)

    def _playing(self) -> None:
        if b"NetStream.Play.Start" in self._received:
            self.joined.set_result(None)
            self._received = b""


@dataclass(slots=True)
class Joins:
    """What came of many."""

    seconds: list[float] = field(default_factory=list)
    """Each join's."""
    wall: float = 0.0
    """Seconds for all of them."""

    @property
    def rate(self) -> float:
        return len(self.seconds) / self.wall


async def join(port: int, words: Words, quick: bool = True) -> tuple[Player, float]:
    """A player that has joined, and its seconds. Raises Failed, OSError."""
    began = time.perf_counter()
    loop = asyncio.get_running_loop()
    _, player = await loop.create_connection(lambda: Player(words, quick), "127.0.0.1", port)
    try:
        async with asyncio.timeout(WITHIN):
            await player.joined
    except TimeoutError:
        player.close()
        raise Failed("not answered in time") from None
    return player, time.perf_counter() - began


async def crowd(port: int, rooms: list[Words], number: int, together: int, quick: bool = True) -> Joins:
    """`number` players, `together` at a time, who leave as soon as they are in. Raises an ExceptionGroup of Failed."""
    joins, left = Joins(), iter(range(number))

    async def some(turns: Iterator[int]) -> None:
        for turn in turns:
            player, seconds = await join(port, rooms[turn % len(rooms)], quick)
            player.close()
            joins.seconds.append(seconds)

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(together):
            group.create_task(some(left))
    joins.wall = time.perf_counter() - began
    return joins


async def arriving(port: int, rooms: list[Words], number: int, a_second: float) -> tuple[list[Player], list[float]]:
    """Players who come at a steady rate, whatever the answers take, and stay. Raises Failed."""
    began, coming = time.perf_counter(), []
    for turn in range(number):
        await asyncio.sleep(max(0.0, began + turn / a_second - time.perf_counter()))
        coming.append(asyncio.create_task(join(port, rooms[turn % len(rooms)])))
    made = await asyncio.gather(*coming)
    return [player for player, _ in made], [seconds for _, seconds in made]


def received(players: Iterable[Player]) -> int:
    """Bytes."""
    return sum(player.received for player in players)
