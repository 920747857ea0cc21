"""nginx-rtmp's /stat: which clients are connected to which stream now."""

from __future__ import annotations

import asyncio
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from typing import TypeAlias, cast

import httpx

from control.clock import Clock, Ticks
from control.live.stream_info import StreamInfo

TIMEOUT = 2.0  # seconds

Parser: TypeAlias = "ET.XMLPullParser[tuple[str, ET.Element]]"


class StatError(Exception):
    """/stat could not be had, or not be read."""


@dataclass(frozen=True, slots=True)
class SeenClient:
    client: int
    name: str
    """Of the stream."""
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


@dataclass
class Looks:
    """When /stat is looked at and what it shows is taken over."""

    soon: asyncio.Event = field(default_factory=asyncio.Event)
    """Set to have /stat read before the next turn is due."""
    last_at: Ticks = Ticks(0.0)


class Stat:
    def __init__(self, http: httpx.AsyncClient, clock: Clock, application: str = "live") -> None:
        self._http = http
        self._clock = clock
        self._application = application
        self._latest: Snapshot | None = None
        self._under_way: asyncio.Task[Snapshot] | None = None

    async def recent(self, age: float) -> Snapshot:
        """What was asked for within the last `age` seconds: however many ask, nginx is asked once. Raises StatError."""
        if self._latest is not None and self._clock.ticks() - self._latest.asked_at < age:
            return self._latest
        if self._under_way is None:
            self._under_way = asyncio.create_task(self.read())
            self._under_way.add_done_callback(self._arrived)
        return await asyncio.shield(self._under_way)

    def _arrived(self, task: asyncio.Task[Snapshot]) -> None:
        self._under_way = None
        if not task.cancelled():
            task.exception()  # whoever waited has it; where nobody does any more, it is no news

    async def read(self) -> Snapshot:
        """Raises StatError."""
        asked_at = self._clock.ticks()
        # Fed as it arrives: thousands of viewers are a megabyte of XML, and callbacks are answered in between.
        parser: Parser = ET.XMLPullParser(["end"])
        clients: list[SeenClient] = []
        pid = 0
        try:
            async with self._http.stream("GET", "/stat", timeout=TIMEOUT) as answer:
                answer.raise_for_status()
                async for chunk in answer.aiter_bytes(65536):
                    parser.feed(chunk)
                    pid = self._gather(parser, clients) or pid
                parser.close()
            self._latest = Snapshot(answer.headers["X-Start"], pid, asked_at, tuple(clients))
            return self._latest
        except (httpx.HTTPError, ET.ParseError, LookupError, ValueError) as failure:
            raise StatError(f"{type(failure).__name__}: {failure}") from failure

    def _gather(self, parser: Parser, clients: list[SeenClient]) -> int:
        """Takes what is complete; the pid where it is among it, else 0."""
        pid = 0
        for event in parser.read_events():
            _, element = cast(tuple[str, ET.Element], event)  # of an "end" event, the only kind asked for
            if element.tag == "pid":
                pid = int(element.text or 0)
            elif element.tag == "application":
                if element.findtext("name") == self._application:
                    for stream in element.iter("stream"):
                        stream_info = _stream_info(stream)
                        clients.extend(_client(each, stream, stream_info) for each in stream.iter("client"))
                element.clear()
        return pid


def _client(element: ET.Element, stream: ET.Element, stream_info: StreamInfo) -> SeenClient:
    publishing = element.find("publishing") is not None
    return SeenClient(
        client=int(element.findtext("id") or ""),
        name=stream.findtext("name") or "",
        publishing=publishing,
        active=element.find("active") is not None,
        timestamp=int(element.findtext("timestamp") or 0),
        address=element.findtext("address") or "",
        encoder=element.findtext("flashver") or "",
        connected=int(element.findtext("time") or 0) / 1000,
        stream_info=stream_info if publishing else None,
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
