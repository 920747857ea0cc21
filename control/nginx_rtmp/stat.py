"""nginx-rtmp's /stat: which clients are connected to which stream now."""

from __future__ import annotations

import asyncio
import re
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeAlias, cast

import httpx

from control.clock import Clock, Ticks
from control.live.presence import Home
from control.live.stream_info import StreamInfo

TIMEOUT = 2.0  # seconds
PIECE = 8192  # bytes that are read at once: some 40 clients

# As nginx-rtmp 1.2.2 writes one. To read a thousand of them so takes a third of what the parser does.
_USUAL = re.compile(
    rb"<client><id>(\d+)</id><address>([^<&]*)</address><time>(\d+)</time><flashver>([^<&]*)</flashver>"
    rb"(?:<(?:pageurl|swfurl)>[^<&]*</[a-z]+>)*<dropped>\d+</dropped><avsync>-?\d+</avsync>"
    rb"<timestamp>(\d+)</timestamp>(<publishing/>)?(<active/>)?</client>\s*"
)

APPLICATION = "live"

Parser: TypeAlias = "ET.XMLPullParser[tuple[str, ET.Element]]"


RoomOf: TypeAlias = Callable[[str], "tuple[str, Home | None]"]
"""What a stream's name stands for: its room, and where that is at home if not here."""


def _as_named(name: str) -> tuple[str, Home | None]:
    return name, None


class StatError(Exception):
    """/stat could not be had, or not be read."""


class SeenClient(NamedTuple):
    """One client. A tuple: there may be thousands at each look."""

    client: int
    name: str
    """Of the stream's room."""
    publishing: bool
    active: bool
    """Media has flowed."""
    timestamp: int
    """Milliseconds, of the last media."""
    address: str
    encoder: str
    connected: float
    """Seconds since it connected."""
    stream_info: StreamInfo | None = None
    """What a publisher sends."""
    home: Home | None = None
    """The nginx that its stream is pulled from, or pushed to."""

    @property
    def is_relay(self) -> bool:
        return "/" in self.address


@dataclass(frozen=True, slots=True)
class Snapshot:
    start: str
    """Which life of nginx this is."""
    pid: int
    """Of the worker."""
    asked_at: Ticks
    """What happened after it may or may not be in here."""
    clients: tuple[SeenClient, ...]
    relay: str = ""
    """Where other nginx of the node connect to it."""


@dataclass
class Looks:
    """When /stat is looked at and what it shows is taken over."""

    soon: asyncio.Event = field(default_factory=asyncio.Event)
    """Set to have /stat read before the next turn is due."""
    last_at: Ticks = Ticks(0.0)


class Stat:
    def __init__(self, http: httpx.AsyncClient, clock: Clock, room_of: RoomOf = _as_named) -> None:
        """`room_of` tells the room of a stream's name."""
        self._http = http
        self._clock = clock
        self._room_of = room_of
        self.latest: Snapshot | None = None
        """Without players, of which there may be thousands."""
        self._under_way: asyncio.Task[Snapshot] | None = None

    async def recent(self, age: float) -> Snapshot:
        """The publishers, as was asked for within the last `age` seconds: however many ask, nginx is asked once. Raises
        StatError."""
        if self.latest is not None and self._clock.ticks() - self.latest.asked_at < age:
            return self.latest
        if self._under_way is None:
            self._under_way = asyncio.create_task(self._publishers())
            self._under_way.add_done_callback(self._arrived)
        return await asyncio.shield(self._under_way)

    async def _publishers(self) -> Snapshot:
        await self.read()
        assert self.latest is not None
        return self.latest

    def _arrived(self, task: asyncio.Task[Snapshot]) -> None:
        self._under_way = None
        if not task.cancelled():
            task.exception()  # whoever waited has it; where nobody does any more, it is no news

    async def read(self) -> Snapshot:
        """Raises StatError."""
        asked_at = self._clock.ticks()
        reader = _Reader(APPLICATION, self._room_of)
        try:
            async with self._http.stream("GET", "/stat", timeout=TIMEOUT) as answer:
                answer.raise_for_status()
                async for piece in answer.aiter_bytes(PIECE):
                    reader.feed(piece)
                    await asyncio.sleep(0)  # thousands of viewers are a megabyte: callbacks are answered in between
                reader.close()
            head = answer.headers
            seen = Snapshot(head["X-Start"], reader.pid, asked_at, tuple(reader.clients), head.get("X-Relay", ""))
            self.latest = replace(seen, clients=tuple(each for each in seen.clients if each.publishing))
            return seen
        except (httpx.HTTPError, ET.ParseError, LookupError, ValueError) as failure:
            raise StatError(f"{type(failure).__name__}: {failure}") from failure


class _Reader:
    """Takes each client out of the document as soon as it is complete. One that looks as usual never gets to the
    parser, which reads everything else."""

    def __init__(self, application: str, room_of: RoomOf) -> None:
        self._parser: Parser = ET.XMLPullParser(["start", "end"])
        self._wanted = application
        self._room_of = room_of
        self._application: ET.Element | None = None
        self._stream: ET.Element | None = None
        self._first = 0
        """Of the stream's among `clients`."""
        self._name: str | None = None
        """Of the stream's room; None where its clients are not wanted."""
        self._home: Home | None = None
        self._is_named = False
        """For as long as nothing but usual clients comes."""
        self._rest = b""
        """What has come and was not read yet."""
        self.clients: list[SeenClient] = []
        self.pid = 0

    def feed(self, piece: bytes) -> None:
        """Raises ET.ParseError, ValueError and LookupError."""
        piece, at = self._rest + piece, 0
        for usual in _USUAL.finditer(piece):
            if usual.start() > at:
                self._parse(piece[at : usual.start()])
            if not self._is_named:
                self._look_at_stream()
            if self._name is not None:
                self.clients.append(_usual(usual, self._name, self._home))
            at = usual.end()
        end = _complete(piece, at)
        self._parse(piece[at:end])
        self._rest = piece[end:]

    def _look_at_stream(self) -> None:
        if self._stream is None or self._application is None:
            raise ValueError("a client outside of any stream")
        self._name, self._home, self._is_named = None, None, True
        if self._application.findtext("name") == self._wanted:
            self._name, self._home = self._room_of(self._stream.findtext("name") or "")

    def _parse(self, piece: bytes) -> None:
        self._is_named = False
        self._parser.feed(piece)
        for event, element in cast(Iterable[tuple[str, ET.Element]], self._parser.read_events()):
            tag = element.tag
            if event == "start":
                if tag == "application":
                    self._application = element
                elif tag == "stream":
                    self._stream, self._first = element, len(self.clients)
            elif tag == "client":
                self._client(element)
            elif tag == "stream":
                self._stream_ended(element)
            elif tag == "pid":
                self.pid = int(element.text or 0)

    def close(self) -> None:
        """Likewise."""
        self._parse(self._rest)
        self._parser.close()

    def _client(self, element: ET.Element) -> None:
        self._look_at_stream()
        if self._name is not None:
            self.clients.append(_client(element, self._name, self._home))
        cast(ET.Element, self._stream).remove(element)

    def _stream_ended(self, element: ET.Element) -> None:
        for at in range(self._first, len(self.clients)):
            if self.clients[at].publishing:
                self.clients[at] = self.clients[at]._replace(stream_info=_stream_info(element))
        element.clear()


def _complete(piece: bytes, start: int) -> int:
    """The end of what can be read from there: no tag is cut, for which the parser would wait longer than for the rest
    of it, and no client that may be usual."""
    end = max(piece.rfind(b">") + 1, start)
    client = piece.rfind(b"<client>", start, end)
    return client if client >= 0 and piece.find(b"</client>", client, end) < 0 else end


def _usual(found: re.Match[bytes], name: str, home: Home | None) -> SeenClient:
    client, address, time, encoder, timestamp, publishing, active = found.groups()
    return SeenClient(
        client=int(client),
        name=name,
        publishing=publishing is not None,
        active=active is not None,
        timestamp=int(timestamp),
        address=sys.intern(address.decode()),  # which its session has
        encoder=sys.intern(encoder.decode()),
        connected=int(time) / 1000,
        home=home,
    )


def _client(element: ET.Element, name: str, home: Home | None) -> SeenClient:
    return SeenClient(
        client=int(element.findtext("id") or ""),
        name=name,
        publishing=element.find("publishing") is not None,
        active=element.find("active") is not None,
        timestamp=int(element.findtext("timestamp") or 0),
        address=element.findtext("address") or "",
        encoder=element.findtext("flashver") or "",
        connected=int(element.findtext("time") or 0) / 1000,
        home=home,
    )


def _stream_info(stream: ET.Element) -> StreamInfo:
    return StreamInfo(
        bits_per_second=int(stream.findtext("bw_in") or 0),
        width=int(stream.findtext("meta/video/width") or 0),
        height=int(stream.findtext("meta/video/height") or 0),
        frames_per_second=float(stream.findtext("meta/video/frame_rate") or 0),
        video_codec=stream.findtext("meta/video/codec") or "",
        audio_codec=stream.findtext("meta/audio/codec") or "",
    )
