"""Webhooks of a room on real nginx, to a receiver that is a process's own."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import standardwebhooks
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from control.serve import server_of
from tests.e2e.cluster import cluster, server_of_its_own
from tests.e2e.conftest import Node, Room, until
from tests.rtmp.client import Refused
from tests.support.postgres import Postgres

pytestmark = pytest.mark.anyio


class Receiver:
    """Listens while it is up; its port stays its own."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as found:
            self.port = found.getsockname()[1]
        self.taken: list[tuple[str, dict[str, Any]]] = []
        """Ids, and what was verified."""
        self.secret = ""
        self.connections = 0

    @asynccontextmanager
    async def up(self) -> AsyncIterator[None]:
        app = Starlette(routes=[Route("/hooks", self._take, methods=["POST"])])

        async def counted(scope: Scope, receive: Receive, send: Send) -> None:
            self.connections += 1
            await app(scope, receive, send)

        server = server_of(counted)
        with socket.create_server(("127.0.0.1", self.port)) as listener:
            task = asyncio.create_task(server.serve(sockets=[listener]))
            try:
                yield
            finally:
                server.should_exit = True
                await task

    async def _take(self, request: Request) -> Response:
        body, headers = await request.body(), dict(request.headers)
        verified = standardwebhooks.Webhook(self.secret).verify(body, headers)
        self.taken.append((headers["webhook-id"], verified))
        return Response(status_code=204)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks"

    @property
    def told(self) -> list[tuple[str, int]]:
        return [(event["type"], event["data"]["number"]) for _, event in self.taken]

    async def has_taken(self, number: int) -> None:
        async def took() -> bool:
            return len(self.taken) >= number

        await until(took)

    async def has(self, *kinds: str, within: float = 20) -> None:
        """Waits until it was told of these, each once and in order."""

        async def came() -> bool:
            return len(self.taken) >= len(kinds)

        await until(came, within)
        assert self.told == [(kind, number) for number, kind in enumerate(kinds, 1)]


TRUSTED: dict[str, Any] = {"webhook_private": "on", "webhook_retry_seconds": 1, "gap_seconds": 0}
trusted = pytest.mark.parametrize("options", [TRUSTED], ids=["trusted"])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with server_of_its_own(tmp_path_factory) as started:
        yield started


async def test_of_three_nodes_one_posts(tmp_path: Path, server: Postgres) -> None:
    receiver = Receiver()
    async with cluster(tmp_path, server, **TRUSTED) as (a, b, c), receiver.up():
        room = await a.room()
        receiver.secret = (await hooked(b, room, receiver.url))["secret"]
        for node in (c, a):
            async with node.publisher(room.push):
                await node.live(room, 10)
            for each in (a, b, c):  # or it is live yet where the next one comes
                await each.off_air(room, 10)
        await receiver.has("room.live", "room.ended", "room.live", "room.ended")


async def events(node: Node, room: Room, number: int) -> bool:
    """Whether so many have happened. Asked for by a URL."""
    bearer = {"Authorization": f"Bearer {room.session}"}
    answer = await node.http.get("/live/GetEvents", params={"after": 0}, headers=bearer)
    return bool(answer.json()["lastNumber"] >= number)


async def hooked(node: Node, room: Room, url: str, **fields: Any) -> dict[str, Any]:
    return dict(await node.api("AddWebhook", sessionId=room.session, url=url, **fields))


@trusted
async def test_a_receiver_that_was_down_has_everything_once_and_in_order(node: Node) -> None:
    room, receiver = await node.room(), Receiver()
    made = await hooked(node, room, receiver.url)
    receiver.secret = made["secret"]
    async with node.publisher(room.push):
        await node.live(room)
        await node.user()
        await node.api("BanUser", sessionId=room.session, liveRoomId=room.id, userId=2, status=1)
    await node.off_air(room)
    await until(lambda: events(node, room, 3))
    async with node.publisher(room.push):
        await node.live(room)

    async def failed_often() -> bool:
        [mine] = (await node.api("GetMyWebhooks", sessionId=room.session))["list"]
        return bool(mine["failures"] >= 2)

    await until(failed_often)
    async with receiver.up():
        await receiver.has("room.live", "user.banned", "room.ended", "room.live")
        await node.api("ReplayWebhook", sessionId=room.session, webhookId=made["webhookId"], after=2)

        async def again() -> bool:
            return len(receiver.taken) >= 6

        await until(again)
    ids = [name for name, _ in receiver.taken]
    assert ids[4:6] == ids[2:4]
    assert len(set(ids[:4])) == 4


@trusted
async def test_a_restart_of_control_loses_nothing(node: Node) -> None:
    room, receiver = await node.room(), Receiver()
    receiver.secret = (await hooked(node, room, receiver.url))["secret"]
    async with node.publisher(room.push):
        await node.live(room)
        os.kill(node.pid("control"), signal.SIGKILL)
        await node.logged("child ended")
        await node.ready()
        async with receiver.up():
            await receiver.has("room.live", within=60)


@trusted
async def test_who_pushes_with_a_wrong_password_is_told(node: Node) -> None:
    room, receiver = await node.room(), Receiver()
    receiver.secret = (await hooked(node, room, receiver.url))["secret"]
    async with receiver.up():
        async with node.client() as client:
            with pytest.raises(Refused):
                await client.publish(f"{room.id}?pwd=wrong-pwd")
        await receiver.has("publish.refused")
    [(_, event)] = receiver.taken
    assert event["data"]["reason"] == "wrong anchor password"


async def test_a_private_address_is_refused_and_not_connected_to(node: Node) -> None:
    room, receiver = await node.room(), Receiver()
    async with receiver.up():
        refused = await node.api("AddWebhook", sessionId=room.session, url=receiver.url.replace("http:", "https:"))
        assert refused["desc"] == "参数错误: url (a private address)"
        made = await hooked(node, room, f"https://localhost:{receiver.port}/hooks")
        tried = await node.api("TestWebhook", sessionId=room.session, webhookId=made["webhookId"])
        assert tried["failure"] == "a private address"
    assert receiver.connections == 0
