"""The world outside, in the hand of a test: time, entropy, messages, and an nginx that behaves."""

from __future__ import annotations

import asyncio
import inspect
import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar
from xml.sax.saxutils import escape

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from control.accounts.notifiers import Message
from control.app import World, running
from control.clock import Epoch, Ticks
from control.running import Running
from control.settings import Settings
from tests.support.receiver import StandInInternet

SITE = "http://live.example:8080"
START = "aaaa0001"
T = TypeVar("T")
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"


@dataclass(frozen=True)
class Alarm:
    at: float
    """Ticks."""
    ring: Callable[[], object]
    task: asyncio.Task[Any] | None
    """Who waits."""


class HandClock:
    """Stands still until it is moved; sleepers and time limits wait for that."""

    def __init__(self) -> None:
        self._now = 1_800_000_000.0
        self._ticks = 1000.0
        self._alarms: dict[object, Alarm] = {}
        self._begins = asyncio.Event()

    def now(self) -> Epoch:
        return Epoch(self._now)

    def ticks(self) -> Ticks:
        return Ticks(self._ticks)

    def advance(self, seconds: float) -> None:
        self._now += seconds
        self._ticks += seconds
        for name in [name for name, alarm in self._alarms.items() if alarm.at <= self._ticks]:
            self._alarms.pop(name).ring()

    def jump(self, seconds: float) -> None:
        """An operator sets the wall clock."""
        self._now += seconds

    async def sleep(self, seconds: float) -> None:
        rung = asyncio.Event()
        with self._alarm(seconds, rung.set):
            await rung.wait()

    async def steps(self, seconds: float, work: Awaitable[T], happens: Callable[[], object] = lambda: None) -> T:
        """What comes of some work; whenever it waits for the clock, that moves so far, and something happens."""
        others = asyncio.all_tasks()
        task = asyncio.ensure_future(work)
        while not task.done():
            if {alarm.task for alarm in self._alarms.values()} - others:
                self.advance(seconds)
                result = happens()
                if inspect.isawaitable(result):
                    await result
                await asyncio.sleep(0)
            else:
                self._begins.clear()
                begins = asyncio.ensure_future(self._begins.wait())
                await asyncio.wait((task, begins), return_when=asyncio.FIRST_COMPLETED)
                begins.cancel()
        return task.result()

    @asynccontextmanager
    async def within(self, seconds: float) -> AsyncIterator[None]:
        async with asyncio.timeout(None) as limit:
            with self._alarm(seconds, lambda: limit.reschedule(0)):
                yield

    @contextmanager
    def _alarm(self, seconds: float, ring: Callable[[], object]) -> Iterator[None]:
        name = object()
        self._alarms[name] = Alarm(self._ticks + seconds, ring, asyncio.current_task())
        self._begins.set()
        try:
            yield
        finally:
            self._alarms.pop(name, None)


class SeededEntropy:
    def __init__(self, seed: int = 1) -> None:
        self._random = random.Random(seed)

    def secret(self) -> str:
        return "".join(self._random.choices(ALPHABET, k=32))

    def code(self) -> str:
        return f"{self._random.randrange(10**6):06d}"

    def noise(self, size: int) -> bytes:
        return os.urandom(size)  # never the same twice with one key, or the cipher gives way


@dataclass
class Postbox:
    """A notifier that keeps what it is given."""

    messages: list[Message] = field(default_factory=list)
    failing: Exception | None = None

    async def send(self, message: Message) -> None:
        if self.failing:
            raise self.failing
        self.messages.append(message)


@dataclass
class StreamClient:
    client: int
    name: str
    publishing: bool = False
    timestamp: int = 0
    address: str = "192.0.2.7"
    connected: float = 0.0
    """Seconds."""
    encoder: str = "test"
    codecs: tuple[str, str] = ("", "")
    """Of a publisher's video and sound."""

    @property
    def meta(self) -> str:
        video, audio = (f"<codec>{name}</codec>" if name else "" for name in self.codecs)
        return f"<meta><video>{video}</video><audio>{audio}</audio></meta>" if self.publishing else ""

    def xml(self) -> str:
        flags = ("<publishing/>" if self.publishing else "") + ("<active/>" if self.timestamp else "")
        return (
            f"<client><id>{self.client}</id><address>{escape(self.address)}</address>"
            f"<time>{self.connected * 1000:.0f}</time><flashver>{self.encoder}</flashver>"
            f"<dropped>0</dropped><avsync>0</avsync>"
            f"<timestamp>{self.timestamp}</timestamp>{flags}</client>"
        )


class FakeNginx:
    """/stat and /control of an rtmp nginx, over the clients a test puts into it.

    `broken` makes both answer 500, `deaf` only /control.
    """

    def __init__(self, start: str = START, relay: str = "127.0.0.1:19351") -> None:
        self.start = start
        self.relay = relay
        self.pid = 4711
        self.clients: dict[int, StreamClient] = {}
        self.dropped: list[int] = []
        self.broken = False
        self.deaf = False
        self.garbage: str | None = None
        self.app = Starlette(routes=[Route("/stat", self._stat), Route("/{start}/control/drop/client", self._drop)])

    def put(self, client: int, name: str, **more: Any) -> StreamClient:
        self.clients[client] = StreamClient(client, name, **more)
        return self.clients[client]

    @property
    def transport(self) -> httpx.AsyncBaseTransport:
        return httpx.ASGITransport(app=self.app)

    async def _stat(self, request: Request) -> Response:
        if self.broken:
            return PlainTextResponse("broken", 500)
        body = self.garbage if self.garbage is not None else self._xml()
        return Response(body, headers={"X-Start": self.start, "X-Relay": self.relay}, media_type="text/xml")

    async def _drop(self, request: Request) -> Response:
        if self.broken or self.deaf:
            return PlainTextResponse("broken", 500)
        if request.path_params["start"] != self.start:
            return PlainTextResponse("no such path", 404)
        client = int(request.query_params["clientid"])
        there = self.clients.pop(client, None)
        self.dropped.append(client)
        return PlainTextResponse("1" if there else "0")

    def _xml(self) -> str:
        names = dict.fromkeys(client.name for client in self.clients.values())
        streams = "".join(
            f"<stream><name>{escape(name)}</name>"
            + "".join(each.xml() + each.meta for each in self.clients.values() if each.name == name)
            + "</stream>"
            for name in names
        )
        return (
            f'<?xml version="1.0" encoding="utf-8" ?><rtmp><pid>{self.pid}</pid><uptime>1</uptime><server>'
            f"<application><name>live</name><live>{streams}</live></application></server></rtmp>"
        )


@dataclass
class Box:
    """A control that runs in the test's own loop, and everything around it."""

    settings: Settings
    clock: HandClock
    entropy: SeededEntropy
    postbox: Postbox
    nginx: FakeNginx
    internet: StandInInternet
    running: Running
    http: httpx.AsyncClient
    """A client of the public application."""
    hooks: httpx.AsyncClient
    """nginx, as a client of the internal application."""

    async def api(self, name: str, **fields: Any) -> dict[str, Any]:
        """An API's reply. Where it waits for the clock, that moves."""
        answer = await self.clock.steps(0.1, self.http.post(f"/live/{name}", json=fields))
        assert answer.status_code == 200, answer.status_code
        reply: dict[str, Any] = answer.json()
        return reply

    async def session(self, account: str, phone: str) -> str:
        """A new user's session id."""
        made = await self.api("Register", account=account, phone=phone, password="secret-1")
        assert made["status"] == 10000, made
        session_id: str = (await self.api("Login", account=account, password="secret-1"))["sessionId"]
        return session_id

    async def callback(self, call: str, client: int, name: str = "", arguments: str = "", **own: Any) -> int:
        """The HTTP status nginx gets for a callback written as it writes them."""
        return (await self.answer("local", self.nginx.start, call, client, name, arguments, **own)).status_code

    async def answer(
        self, node: str, start: str, call: str, client: int, name: str = "", arguments: str = "", **own: Any
    ) -> httpx.Response:
        """Likewise, to any nginx."""
        return await self.hooks.post(f"/rtmp/{node}/{start}/{call}", content=body(call, client, name, arguments, **own))

    async def settle(self) -> None:
        """One repair, and what is on air written down."""
        await self.running.live.reconcilers.run()
        await self.running.live.on_air_writer.write()


def body(
    call: str,
    client: int,
    name: str = "",
    arguments: str = "",
    kind: str = "publish",
    timestamp: int = 0,
    addr: str = "192.0.2.7",
) -> str:
    """A callback's body; `kind` tells an update's kind."""
    head = f"app=live&flashver=test&swfurl=&tcurl=rtmp://h/live&pageurl=&addr={addr}"
    tail = {
        "connect": "&epoch=1&call=connect",
        "disconnect": f"&clientid={client}&call=disconnect&app=live",
        "publish": f"&clientid={client}&call=publish&name={name}&type=live",
        "play": f"&clientid={client}&call=play&name={name}&start=4294965296&duration=0&reset=0",
        "update": f"&clientid={client}&call=update_{kind}&time=5&timestamp={timestamp}"
        + (f"&name={name}" if name else ""),
        "record_done": f"&clientid={client}&call=record_done&recorder=r&name={name}&path=/x",
    }.get(call, f"&clientid={client}&call={call}" + (f"&name={name}" if name else ""))
    return head + tail + (f"&{arguments}" if arguments else "")


def quick_settings(data_dir: Path) -> Settings:
    """Hashing costs next to nothing."""
    return Settings(
        data_dir=data_dir,
        hls_dir=str(data_dir / "hls"),
        socket_dir=str(data_dir / "sockets"),
        snapshot_dir=str(data_dir / "snapshots"),
        argon2_time_cost=1,
        argon2_memory_kib=8,
        log_level="warning",
    )


def _transports(nginxes: Mapping[str, FakeNginx]) -> dict[str, httpx.AsyncBaseTransport]:
    return {node: nginx.transport for node, nginx in nginxes.items()}


@asynccontextmanager
async def box(
    settings: Settings,
    nginx: FakeNginx | None = None,
    clock: HandClock | None = None,
    others: Mapping[str, FakeNginx] = MappingProxyType({}),
) -> AsyncIterator[Box]:
    """`others`: nginx beside the first, by their node."""
    clock, entropy, postbox, nginx = clock or HandClock(), SeededEntropy(), Postbox(), nginx or FakeNginx()
    internet = StandInInternet()
    world = World(clock, entropy, postbox, {settings.node: nginx.transport} | _transports(others), internet)
    async with (
        running(settings, world) as started,
        httpx.AsyncClient(transport=httpx.ASGITransport(app=started.public), base_url=SITE) as http,
        httpx.AsyncClient(transport=httpx.ASGITransport(app=started.internal), base_url="http://control") as hooks,
    ):
        yield Box(settings, clock, entropy, postbox, nginx, internet, started, http, hooks)
