"""A whole node on real nginx, as `make run` starts it."""

from __future__ import annotations

import asyncio
import os
import signal
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from control.settings import Settings, to_env
from tests.e2e.encoders import film
from tests.e2e.ports import free_ports
from tests.e2e.stand_in import open_to_others
from tests.rtmp import flv
from tests.rtmp.client import Client
from tests.support.network import HERE, Machine

ROOT = Path(__file__).parents[2]


async def until(condition: Callable[[], Awaitable[Any]], within: float = 10.0) -> Any:
    """Waits for a condition, `within` seconds, and returns what it found. Raises TimeoutError."""
    async with asyncio.timeout(within):
        while True:
            if found := await condition():
                return found
            await asyncio.sleep(0.02)


@dataclass
class Room:
    id: int
    session: str
    """The owner's."""
    anchor: str
    user: str

    @property
    def push(self) -> str:
        return f"{self.id}?pwd={self.anchor}"

    @property
    def play(self) -> str:
        return f"{self.id}?pwd={self.user}"


class Node:
    """A supervisor and all its parts."""

    def __init__(self, data_dir: Path, machine: Machine = HERE, /, **more: Any) -> None:
        self._machine = machine
        http, rtmp = free_ports(2)
        cheap = {"argon2_time_cost": 1, "argon2_memory_kib": 8}
        crowded = {"rtmp_per_address": 8192, "rtmp_workers": 1}  # a test's crowd comes from one
        self.settings = Settings(data_dir=data_dir, http_port=http, rtmp_port=rtmp, **{**cheap, **crowded, **more})
        # No connection is kept: one that an nginx closes as it is asked on again is an error that browsers hide.
        once = httpx.Limits(max_keepalive_connections=0)
        site, verify = f"http://{machine.host}:{http}", ssl.create_default_context()
        if self.settings.has_tls:
            site = f"https://127.0.0.1:{self.settings.https_port}"
            verify = ssl.create_default_context(cafile=self.settings.tls_cert)
        self.http = httpx.AsyncClient(base_url=site, verify=verify, timeout=20, limits=once)
        self.log = data_dir.with_name(f"{data_dir.name}.stderr")
        self.code = ROOT
        self.program = [sys.executable, "-m", "control"]
        self.env = {name: value for name, value in os.environ.items() if not name.startswith("QPLUS_")}
        self._users = 0

    @property
    def rtmp(self) -> str:
        return f"rtmp://{self._machine.host}:{self.settings.rtmp_port}/live"

    def start(self, open_folders: bool = True) -> None:
        self.settings.data_dir.mkdir(parents=True, exist_ok=True)
        if open_folders:
            open_to_others(self.settings.data_dir.parent)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    "setpriv",
                    "--pdeathsig",
                    "TERM",
                    *self._machine.enter,
                    *self.program,
                    "run",
                ],  # it ends with the tests
                cwd=self.code,
                env=self.env | to_env(self.settings),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    async def ready(self) -> None:
        async def answers() -> bool:
            assert self._process.poll() is None, "the supervisor ended"
            try:
                return (await self.http.get("/readyz")).status_code == 200
            except httpx.TransportError:
                return False

        await until(answers, 30)

    def stop(self) -> int:
        self._process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        """Until the supervisor has ended; its exit code."""
        return self._process.wait(30)

    def pid(self, part: str) -> int:
        if part == "supervisor":
            return self._process.pid
        return int((self.settings.run_dir / f"{part}.pid").read_text())

    def hang_up(self) -> None:
        self._process.send_signal(signal.SIGHUP)

    def ended(self) -> bool:
        return self._process.poll() is not None

    async def api(self, name: str, **fields: Any) -> dict[str, Any]:
        reply: dict[str, Any] = (await self.http.post(f"/live/{name}", json=fields)).json()
        return reply

    def accounts_from(self, number: int) -> None:
        """Users that are made here are numbered from there on."""
        self._users = number

    async def user(self, number: int = 0) -> str:
        """A new user's session id."""
        self._users = number or self._users + 1
        account = f"user{self._users}"
        await self.api("Register", account=account, phone=f"135{self._users:08}", password="secret-1")
        return await self.log_in(account)

    async def log_in(self, account: str) -> str:
        """A new session's id."""
        session: str = (await self.api("Login", account=account, password="secret-1"))["sessionId"]
        return session

    async def room(self, **fields: Any) -> Room:
        """A new user's room."""
        session = await self.user()
        await self.api("CreateLiveRoom", sessionId=session, **{"liveRoomName": "a room", **fields})
        mine = await self.api("GetMyLiveRoom", sessionId=session)
        return Room(mine["liveRoomId"], session, mine["liveRoomAnchorPwd"], mine["liveRoomUserPwd"])

    async def is_live(self, room: Room) -> bool:
        return bool((await self.api("GetMyLiveRoom", sessionId=room.session))["isPlay"])

    async def players(self, room: Room) -> int:
        number: int = (await self.api("GetLiveroomNumber", sessionId=room.session, liveroomId=room.id))["number"]
        return number

    async def live(self, room: Room, within: float = 2.0) -> None:
        await until(lambda: self.is_live(room), within)

    async def off_air(self, room: Room, within: float = 2.0) -> None:
        async def ended() -> bool:
            return not await self.is_live(room)

        await until(ended, within)

    async def counted(self, room: Room, number: int, within: float = 2.0) -> None:
        async def right() -> bool:
            return await self.players(room) == number

        await until(right, within)

    async def logged(self, text: str, within: float = 5.0) -> None:
        async def there() -> bool:
            return text in self.log.read_text()

        await until(there, within)

    @asynccontextmanager
    async def client(self, host: str = "", **options: Any) -> AsyncIterator[Client]:
        async with await Client.connect(host or self._machine.host, self.settings.rtmp_port, **options) as client:
            await client.create_stream()
            yield client

    @asynccontextmanager
    async def player(self, name: str | bytes, host: str = "") -> AsyncIterator[Client]:
        async with self.client(host) as client:
            await client.play(name)
            yield client

    @asynccontextmanager
    async def publisher(self, name: str | bytes, media: bool = True, host: str = "") -> AsyncIterator[Client]:
        async with self.client(host) as client:
            await client.publish(name)
            sending = asyncio.create_task(client.stream_media(tags=flv.still(15)) if media else asyncio.sleep(3600))
            try:
                yield client
            finally:
                sending.cancel()
                await asyncio.wait([sending])


@asynccontextmanager
async def running(node: Node) -> AsyncIterator[Node]:
    """Started, and ended whatever happens; its log is printed, which a failed test shows."""
    node.start()
    try:
        await node.ready()
        yield node
    finally:
        await node.http.aclose()
        if not node.ended():
            node.stop()
        print(node.log.read_text())


@pytest.fixture
def options() -> dict[str, Any]:
    """The node's, where they are not the usual ones; for tests to parametrize."""
    return {}


@pytest.fixture
async def node(tmp_path: Path, options: dict[str, Any]) -> AsyncIterator[Node]:
    async with running(Node(tmp_path / "node", **options)) as started:
        yield started


@pytest.fixture
async def copied(tmp_path: Path) -> list[str]:
    """ffmpeg's arguments to send a film as it is."""
    return await film(tmp_path / "film.mp4")
