"""The compose file's stack, under a project name and on ports of its own."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import subprocess
from pathlib import Path

import httpx
import orjson

from tests.e2e.conftest import ROOT, Node, Room, until
from tests.e2e.ports import free_ports

COMPOSE = os.environ.get("COMPOSE", "docker compose").split()  # or docker-compose, the first of that name
TAG = "test"
HEALTHY = 60.0  # seconds


class CommandFailed(Exception):
    """A command's exit code was not 0; the message is what it said."""


async def run(*command: str, env: dict[str, str] | None = None, text: bytes = b"") -> str:
    """What the command prints. Raises CommandFailed."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    said, complained = await process.communicate(text)
    if process.returncode != 0:
        raise CommandFailed(f"{' '.join(command)}: {process.returncode}\n{said.decode()}{complained.decode()}")
    return said.decode()


class Stack(Node):
    """Containers in place of a supervisor's children. `variables` are compose's, as in docker/.env."""

    def __init__(self, folder: Path, **variables: str) -> None:
        super().__init__(folder)
        self.variables = variables
        self._with_tls = free_ports(2)
        self.project = f"qplus-test-{secrets.token_hex(4)}"

    @property
    def shell(self) -> dict[str, str]:
        """The variables that compose is given; put together anew, for they change."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("QPLUS_")}
        ports = {"HTTP_PORT": str(self.settings.http_port), "RTMP_PORT": str(self.settings.rtmp_port)}
        with_tls = dict(zip(("HTTPS_PORT", "RTMPS_PORT"), map(str, self._with_tls), strict=True))
        limits = {"QPLUS_RTMP_PER_ADDRESS": str(self.settings.rtmp_per_address)}
        where = {"COMPOSE_FILE": "docker/compose.yaml", "COMPOSE_PROJECT_NAME": self.project, "TAG": TAG}
        return clean | ports | with_tls | limits | where | self.variables

    async def compose(self, *arguments: str, text: bytes = b"") -> str:
        return await run(*COMPOSE, *arguments, env=self.shell, text=text)

    async def up(self, *arguments: str) -> None:
        await self.compose("up", "-d", *arguments)

    async def ready(self) -> None:
        """The site answers and nginx listens."""

        async def answers() -> bool:
            try:
                return (await self.http.get("/readyz")).status_code == 200
            except httpx.TransportError:
                return False

        await until(answers, HEALTHY)
        await self.healthy("rtmp")

    async def healthy(self, service: str) -> None:
        async def told() -> bool:
            return (await self.inspect(service, "{{.State.Health.Status}}")) == "healthy"

        await until(told, HEALTHY)

    async def container(self, service: str) -> str:
        return (await self.compose("ps", "-q", service)).strip()

    async def inspect(self, service: str, form: str) -> str:
        return (await run("docker", "inspect", "-f", form, await self.container(service))).strip()

    async def address(self, service: str) -> str:
        return await self.inspect(service, "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}")

    async def sh(self, service: str, script: str, text: bytes = b"") -> str:
        """What a shell in the service's container prints."""
        return await self.compose("exec", "-T", service, "sh", "-c", script, text=text)

    async def crash(self, service: str) -> None:
        """Ends its first process as a crash would. `docker kill` is an operator's act, after which it stays down."""
        os.kill(int(await self.inspect(service, "{{.State.Pid}}")), signal.SIGKILL)

    async def logs(self, service: str) -> tuple[str, str]:
        """What came on standard output, and on standard error."""
        process = await asyncio.create_subprocess_exec(
            "docker", "logs", await self.container(service), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        out, err = await process.communicate()
        return out.decode(), err.decode()

    async def log_lines(self) -> list[dict[str, object]]:
        """Control's."""
        return [orjson.loads(line) for line in (await self.logs("control"))[0].splitlines()]

    async def listed(self, session: str) -> list[int]:
        rooms = (await self.api("GetLiveRoomList", sessionId=session, type=1))["list"]
        return [each["liveRoomId"] for each in rooms]

    async def right(self, room: Room, live: bool, players: int) -> None:
        """Waits until status and count are that, as long as a repair may take."""

        async def told() -> bool:
            return (await self.is_live(room), await self.players(room)) == (live, players)

        await until(told, 15)

    async def end(self) -> None:
        """Takes all of it down, data too; prints what was logged, which a failed test shows."""
        print(await self.compose("logs", "--no-color"))
        await self.compose("down", "-v", "--timeout", "10")
        await self.http.aclose()
