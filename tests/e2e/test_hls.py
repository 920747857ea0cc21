"""Viewers over HLS: let in by a ticket in the path, counted by it, thrown out with it."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from control.supervisor import folders
from tests.e2e.conftest import Node, Room, until
from tests.e2e.encoders import encoder
from tests.rtmp.client import Refused

pytestmark = pytest.mark.anyio

CACHED = 4  # seconds that the web nginx keeps a yes


async def ticket_url(node: Node, room: Room, session: str, **more: str) -> str:
    reply = await node.api("PlayLiveStream", sessionId=session, liveroomId=room.id, status=1, **more)
    url: str = reply["playHlsUrl"]
    return url


async def status(node: Node, url: str) -> int:
    return (await node.http.get(url)).status_code


async def playlist(node: Node, url: str, within: float = 6.0) -> str:
    """The playlist as soon as there is one."""

    async def there() -> str | None:
        answer = await node.http.get(url)
        return answer.text if answer.status_code == 200 else None

    text: str = await until(there, within)
    return text


@asynccontextmanager
async def watching(node: Node, url: str) -> AsyncIterator[None]:
    """Somebody who asks for the playlist over and over."""

    async def watch() -> None:
        async with httpx.AsyncClient() as client:
            while True:
                await client.get(url)
                await asyncio.sleep(0.5)

    task = asyncio.create_task(watch())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_a_viewer_gets_playlist_and_segments_within_six_seconds_of_the_push(node: Node) -> None:
    room, viewer = await node.room(), await node.user()
    url = await ticket_url(node, room, viewer)
    began = time.monotonic()
    async with node.publisher(room.push):
        text = await playlist(node, url)
        segment = re.findall(r"^\d+\.ts$", text, re.MULTILINE)[0]
        answer = await node.http.get(url.replace("index.m3u8", segment))
    assert time.monotonic() - began < 6
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "video/mp2t"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "max-age" in answer.headers["cache-control"]
    assert answer.content[0] == 0x47


PLAYERS = {
    "ffmpeg": ["ffmpeg", "-nostdin", "-loglevel", "error", "-i", "{url}", "-t", "2", "-f", "null", "-"],
    "mpv": ["mpv", "--no-config", "--msg-level=all=error", "--vo=null", "--ao=null", "--length=2", "{url}"],
}


@pytest.mark.parametrize("player", PLAYERS)
async def test_players_play_it(node: Node, player: str) -> None:
    room, viewer = await node.room(), await node.user()
    url = await ticket_url(node, room, viewer)
    async with encoder(f"{node.rtmp}/{room.push}"):
        await playlist(node, url)
        command = [part.format(url=url) for part in PLAYERS[player]]
        process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.DEVNULL)
        try:
            assert await asyncio.wait_for(process.wait(), 40) == 0
        finally:
            if process.returncode is None:
                process.kill()


async def test_a_viewer_is_counted_and_soon_gone(node: Node) -> None:
    room, viewer = await node.room(), await node.user()
    url = await ticket_url(node, room, viewer)
    async with node.publisher(room.push):
        await playlist(node, url)
        async with watching(node, url):
            await node.counted(room, 1)
            rtmp = (await node.api("PlayLiveStream", sessionId=viewer, liveroomId=room.id, status=1))["playRtmpUrl"]
            async with node.player(rtmp.removeprefix(node.rtmp + "/")), node.player(room.play):
                await node.counted(room, 2)
            await node.counted(room, 1)
        await node.counted(room, 0, within=15)


async def test_an_owners_preview_is_no_viewer(node: Node) -> None:
    room = await node.room()
    url = await ticket_url(node, room, room.session)
    async with node.publisher(room.push), node.player(room.play):
        await playlist(node, url)
        await node.counted(room, 1)


async def test_tickets_that_do_not_let_in_are_refused(node: Node) -> None:
    room, other, viewer = await node.room(), await node.room(), await node.user()
    url = await ticket_url(node, room, viewer)
    async with node.publisher(room.push):
        await playlist(node, url)
        forged = url.replace("/index", "/index").replace(f"/{room.id}/", f"/{other.id}/")
        assert await status(node, forged) == 403
        assert await status(node, re.sub(r"/hls/[^/]+/", "/hls/1.2.3.4.k1.x/", url)) == 403
        assert await status(node, url.replace("index.m3u8", "../x.ts")) == 404


async def test_a_room_off_air_is_not_found(node: Node) -> None:
    room, viewer = await node.room(), await node.user()
    url = await ticket_url(node, room, viewer)
    assert await status(node, url) == 404
    async with node.publisher(room.push):
        await playlist(node, url)
    await node.off_air(room)

    async def gone() -> bool:
        return await status(node, url) == 404

    await until(gone, 5)


async def test_a_changed_password_stops_a_viewer_within_five_seconds(node: Node) -> None:
    room, viewer = await node.room(liveRoomUserPwd="first"), await node.user()
    url = await ticket_url(node, room, viewer, liveRoomUserPwd="first")

    async def refused() -> bool:
        return await status(node, url) == 403

    async with node.publisher(room.push), watching(node, url):
        await playlist(node, url)
        await node.counted(room, 1)
        await node.api("ModifyMyLiveRoom", sessionId=room.session, liveRoomUserPwd="second")
        await node.counted(room, 0)
        await until(refused, 5)


async def test_frames_of_a_refused_publisher_reach_no_viewer(node: Node) -> None:
    room, viewer = await node.room(), await node.user()
    url = await ticket_url(node, room, viewer)
    async with node.client() as client:
        await client.publish(f"{room.id}?pwd=wrong", wait=False)
        with pytest.raises(Refused):
            await client.publish(f"{room.id}?pwd=wrong")
    folder = folders.hls(node.settings)
    assert folder.exists()
    assert not (folder / str(room.id)).exists()
    assert await status(node, url) == 404


async def test_an_encoder_with_eight_second_key_frames_plays(node: Node) -> None:
    room, viewer = await node.room(), await node.user()
    url = await ticket_url(node, room, viewer)
    async with encoder(f"{node.rtmp}/{room.push}", key_frames=8, rate=10):
        text = await playlist(node, url, within=20)
    assert 7 < float(re.findall(r"EXTINF:([\d.]+)", text)[0]) < 9


async def test_with_control_down_viewers_go_on_and_newcomers_are_told_to_wait(node: Node) -> None:
    room, viewer, late = await node.room(), await node.user(), await node.user()
    url, other = await ticket_url(node, room, viewer), await ticket_url(node, room, late)
    async with node.publisher(room.push):
        await playlist(node, url)
        control = node.pid("control")
        os.kill(control, signal.SIGSTOP)
        try:
            for _ in range(8):
                assert await status(node, url) == 200
                await asyncio.sleep(1)
            answer = await node.http.get(other)
        finally:
            os.kill(control, signal.SIGCONT)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


async def questions(node: Node) -> float:
    """How often the web nginx has asked control about viewers."""
    transport = httpx.AsyncHTTPTransport(uds=str(node.settings.internal_socket))
    async with httpx.AsyncClient(transport=transport, base_url="http://control") as client:
        text = (await client.get("/metrics")).text
    return float(re.findall(r'qplus_hls_questions_total\{answer="welcome"\} (\S+)', text)[0])


@pytest.mark.alone  # they take most of a core
async def test_two_hundred_viewers_are_counted_exactly(node: Node) -> None:
    room = await node.room()
    sessions = [await node.user() for _ in range(200)]
    urls = [await ticket_url(node, room, session) for session in sessions]

    async def watch(client: httpx.AsyncClient, url: str) -> None:
        while True:
            await client.get(url)
            await asyncio.sleep(2)

    async with (
        node.publisher(room.push),
        httpx.AsyncClient(limits=httpx.Limits(max_connections=20), timeout=30) as client,
    ):
        await playlist(node, urls[0])
        viewers = [asyncio.create_task(watch(client, url)) for url in urls]
        try:
            await node.counted(room, 200, within=15)
            before, began = await questions(node), time.monotonic()
            await asyncio.sleep(3 * CACHED)  # three times as long as a yes is kept
            turns = (time.monotonic() - began) / CACHED
            assert await questions(node) - before <= 200 * (turns + 1)
            assert await node.players(room) == 200
        finally:
            for viewer in viewers:
                viewer.cancel()
            await asyncio.wait(viewers)
