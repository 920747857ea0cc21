"""What ends, moves and comes back, under a live stream and its viewers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from tests.containers.stack import Stack, run
from tests.e2e.conftest import Room, until
from tests.rtmp.client import Client, Refused
from tests.support import pictures

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]


@asynccontextmanager
async def broadcast(stack: Stack) -> AsyncIterator[tuple[Room, Client, Client]]:
    """A live room, its publisher and a player."""
    room = await stack.room()
    async with stack.publisher(room.push) as publisher, stack.player(room.play) as player:
        await stack.right(room, live=True, players=1)
        yield room, publisher, player


async def goes_on(player: Client) -> None:
    seen = player.media
    await player.until(lambda: player.media > seen + 10)


@asynccontextmanager
async def hls_viewer(stack: Stack, room: Room) -> AsyncIterator[list[int]]:
    """A new user who plays over HLS: the statuses of each look at the playlist, from the first that was there on."""
    reply = await stack.api("PlayLiveStream", sessionId=await stack.user(), liveroomId=room.id, status=1)
    seen: list[int] = []

    async def watch() -> None:
        while True:
            status = (await stack.http.get(reply["playHlsUrl"])).status_code
            if seen or status == 200:
                seen.append(status)
            await asyncio.sleep(0.5)

    watching = asyncio.create_task(watch())
    try:
        await until(lambda: asyncio.sleep(0, seen))
        yield seen
    finally:
        watching.cancel()
        await asyncio.wait([watching])


@asynccontextmanager
async def squatters(stack: Stack, network: str, wanted: str) -> AsyncIterator[None]:
    """Containers that take addresses of the network until they have `wanted`."""
    taken = ["docker", "run", "-d", "--rm", "--init", "--network", network, "--entrypoint", "sleep", "qplus-rtmp:test"]
    there: list[str] = []
    try:
        while not there or await address(there[-1]) != wanted:
            assert len(there) < 10, "nobody got the address that was free"
            there.append((await run(*taken, "600")).strip())
        yield
    finally:
        await run("docker", "rm", "-f", *there)


async def address(container: str) -> str:
    form = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
    return (await run("docker", "inspect", "-f", form, container)).strip()


async def test_control_at_another_address_cuts_nobody_and_lets_viewers_in(stack: Stack) -> None:
    old = await stack.address("control")
    async with broadcast(stack) as (room, publisher, player), hls_viewer(stack, room) as seen:
        await stack.compose("rm", "-s", "-f", "control")
        async with squatters(stack, f"{stack.project}_default", old):
            async with stack.client() as early:
                with pytest.raises(Refused):
                    await early.play(room.play)
            await goes_on(player)
            await stack.up("--no-deps", "control")
            await stack.ready()
            assert await stack.address("control") != old
            async with stack.player(room.play) as newcomer:
                await goes_on(newcomer)
                await stack.right(room, live=True, players=3)
            await goes_on(player)
            assert not publisher.is_closed
            assert set(seen) == {200}


async def test_an_upgraded_control_replaces_no_nginx(stack: Stack) -> None:
    services = ("control", "rtmp", "web")
    before = {service: await stack.container(service) for service in services}
    async with broadcast(stack) as (room, publisher, player):
        stack.variables["QPLUS_LOG_LEVEL"] = "debug"
        await stack.up()
        await stack.ready()
        after = {service: await stack.container(service) for service in services}
        assert [service for service in services if after[service] != before[service]] == ["control"]
        await stack.right(room, live=True, players=1)
        await goes_on(player)
        assert not publisher.is_closed


async def test_a_crashed_control_comes_back_over_its_own_remains(stack: Stack) -> None:
    async with broadcast(stack) as (room, publisher, player):
        await stack.crash("control")
        await stack.ready()
        async with stack.player(room.play):
            await stack.right(room, live=True, players=2)
        await goes_on(player)
        assert not publisher.is_closed


async def test_a_crashed_rtmp_nginx_comes_back_over_its_own_remains(stack: Stack) -> None:
    async with broadcast(stack) as (room, publisher, player):
        await until(lambda: stack.sh("rtmp", f"ls /srv/hls/{room.id} 2>/dev/null || true"))
        await stack.crash("rtmp")
        await publisher.closed()
        await player.closed()
    await stack.right(room, live=False, players=0)
    assert await stack.sh("rtmp", "ls /srv/hls") == ""
    async with stack.publisher(room.push), stack.player(room.play) as player:
        await stack.right(room, live=True, players=1)
        await goes_on(player)


async def test_two_controls_at_once_take_turns(stack: Stack) -> None:
    first = await stack.container("control")
    async with broadcast(stack) as (room, publisher, player):
        await stack.up("--no-deps", "--no-recreate", "--scale", "control=2", "control")
        second = next(each for each in (await stack.container("control")).split() if each != first)

        async def refused() -> bool:
            return "already running in /var/lib/qplus" in await run("docker", "logs", second)

        await until(refused, 20)
        await stack.right(room, live=True, players=1)
        await run("docker", "stop", first)
        await stack.ready()
        async with stack.player(room.play):
            await stack.right(room, live=True, players=2)
        await goes_on(player)
        assert not publisher.is_closed


async def test_nginx_before_control_refuses_until_it_comes(stacks: Callable[..., Stack]) -> None:
    stack = stacks()
    await stack.up("--no-deps", "rtmp", "guard", "web")
    await stack.healthy("rtmp")
    await stack.healthy("guard")
    async with stack.client() as early:
        with pytest.raises(Refused):
            await early.publish("1000001?pwd=any")
    answer = await stack.http.post("/live/Login", json={})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    await stack.up("--no-deps", "control")
    await stack.ready()
    async with broadcast(stack) as (_, _, player):
        await goes_on(player)


@dataclass
class Kept:
    """What has to outlive anything but `down -v`."""

    room: Room
    told: dict[str, object]
    picture: str
    ticket: str

    @classmethod
    async def made(cls, stack: Stack) -> Kept:
        room, viewer = await stack.room(liveRoomName="kept"), await stack.user()
        image = pictures.sent(pictures.encoded("PNG"))
        picture = (await stack.api("ModifyUserHeadPic", sessionId=room.session, headPic=image))["headPicId"]
        play = await stack.api("PlayLiveStream", sessionId=viewer, liveroomId=room.id, status=1)
        ticket = play["playRtmpUrl"].removeprefix(stack.rtmp + "/")
        return cls(room, await cls._of(stack, room), f"/live/GetUserHeadPic?id={picture}", ticket)

    async def is_there(self, stack: Stack) -> None:
        assert await self._of(stack, self.room) == self.told
        assert (await stack.http.get(self.picture)).headers["Content-Type"].startswith("image/")
        async with stack.publisher(self.room.push), stack.player(self.ticket) as player:
            await goes_on(player)
            await stack.right(self.room, live=True, players=1)

    @staticmethod
    async def _of(stack: Stack, room: Room) -> dict[str, object]:
        mine = await stack.api("GetMyLiveRoom", sessionId=room.session)
        return {
            name: value
            for name, value in mine.items()
            if name not in ("isPlay", "playerCount", "playRtmpUrl", "playHlsUrl")
        }


async def test_all_killed_at_once_and_started_in_reverse_order(stack: Stack) -> None:
    kept = await Kept.made(stack)
    order = [await stack.container(service) for service in ("web", "rtmp", "control")]
    async with broadcast(stack) as (room, publisher, player):
        await run("docker", "kill", *order)
        await asyncio.gather(publisher.closed(), player.closed())
    for container in order:
        await run("docker", "start", container)
    await stack.ready()
    await stack.right(room, live=False, players=0)
    await kept.is_there(stack)


async def test_down_ends_streams_and_a_later_up_shows_nobody_live(stack: Stack) -> None:
    kept = await Kept.made(stack)
    async with broadcast(stack) as (room, publisher, player):
        await stack.compose("down")
        await asyncio.gather(publisher.closed(), player.closed())
    await stack.up()
    await stack.ready()
    assert await stack.listed(room.session) == []
    await stack.right(room, live=False, players=0)
    await kept.is_there(stack)
