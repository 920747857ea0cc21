"""The stack of several nodes: the balancer, and each node as the others reach it."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import orjson

from tests.containers.stack import HEALTHY, Stack, run
from tests.e2e.conftest import Node, Room, until
from tests.rtmp.client import Client, Closed, Refused

NAMES = ("node-1", "node-2", "node-3")
NODE_RTMP_PORT = 1937


class Member(Node):
    """One of the nodes, from this machine, which is on its network too."""

    def __init__(self, folder: Path, name: str, host: str, http_port: int) -> None:
        super().__init__(folder)
        self.name = name
        self.host = host
        self.settings = replace(self.settings, rtmp_port=NODE_RTMP_PORT)  # without PROXY protocol
        self.http = httpx.AsyncClient(base_url=f"http://{host}:{http_port}", timeout=20)

    @asynccontextmanager
    async def client(self, host: str = "", **options: Any) -> AsyncIterator[Client]:
        async with super().client(self.host, **options) as client:
            yield client


class Cluster(Stack):
    """As a node, it is what the balancer makes of its three."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self.net = f"10.77.{100 + os.getpid() % 100}"
        super().__init__(folder, COMPOSE_FILE="docker/compose.cluster.yaml", CLUSTER_NET=self.net, **variables)
        http_port = self.settings.http_port
        self.members = [
            Member(folder / name, name, f"{self.net}.{number}", http_port) for number, name in enumerate(NAMES, 11)
        ]

    async def ready(self) -> None:
        for name in (*NAMES, "balancer", "postgres"):
            await self.healthy(name)

        async def answers() -> bool:
            try:
                return (await self.http.get("/readyz")).status_code == 200
            except httpx.TransportError:
                return False

        await until(answers, HEALTHY)

    async def ready_with_tls(self, context: ssl.SSLContext) -> None:
        await self.http.aclose()
        site = f"https://127.0.0.1:{self.shell['HTTPS_PORT']}"
        self.http = httpx.AsyncClient(base_url=site, verify=context, timeout=20)
        await self.ready()

    async def lines(self, name: str) -> list[dict[str, Any]]:
        """A node's log, but for what its supervisor says."""
        return [orjson.loads(line) for line in (await self.logs(name))[0].splitlines() if line.startswith("{")]

    async def home(self, room: Room) -> Member:
        """The node that let the room's last publisher in."""
        let_in = [
            (line["timestamp"], number)
            for number, member in enumerate(self.members)
            for line in await self.lines(member.name)
            if line["event"] == "publisher let in" and line["room"] == room.id
        ]
        return self.members[max(let_in)[1]]

    async def told(self, room: Room, live: bool, players: int, members: list[Member], within: float) -> None:
        """Waits until each of those nodes says so."""
        for member in members:

            async def right(member: Member = member) -> bool:
                return (await member.is_live(room), await member.players(room)) == (live, players)

            await until(right, within)

    @asynccontextmanager
    async def publisher_again(self, room: Room, within: float) -> AsyncIterator[Client]:
        """As an encoder does: it tries each second until it is let in."""
        async with asyncio.timeout(within):
            while True:
                publishing = self.publisher(room.push)
                try:
                    client = await publishing.__aenter__()
                except (Refused, Closed, OSError):
                    await asyncio.sleep(1)
                else:
                    break
        try:
            yield client
        finally:
            await publishing.__aexit__(None, None, None)

    async def kill(self, name: str) -> str:
        """As a machine that is switched off. Returns the container, which stays down until it is started again."""
        container = await self.container(name)
        await run("docker", "kill", container)
        return container

    async def end(self) -> None:
        for member in self.members:
            await member.http.aclose()
        await super().end()
