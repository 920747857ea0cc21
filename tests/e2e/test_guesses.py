"""Guesses over real nginx: the address that guesses pays, and nobody else."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import Node, running, until
from tests.rtmp.client import Refused

pytestmark = pytest.mark.anyio
STORM, SECONDS = 50, 6  # wrong logins a second, and for how long


async def lets_in(node: Node, shown: str, host: str = "127.0.0.1") -> bool:
    try:
        async with node.player(shown, host=host):
            return True
    except Refused:
        return False


@pytest.mark.parametrize("options", [{"guess_limit": 1}])
async def test_an_address_that_guesses_is_not_looked_at_and_others_are(node: Node, options: dict[str, Any]) -> None:
    room = await node.room(liveRoomUserPwd="2468")
    wanted = {"sessionId": room.session, "liveroomId": room.id, "status": 1}
    ticket = (await node.api("PlayLiveStream", **wanted))["playRtmpUrl"].rpartition("/")[2]
    async with node.publisher(room.push), node.player(room.play, host="::1") as viewer:
        await node.live(room)
        assert not await lets_in(node, f"{room.id}?pwd=1234")
        assert not await lets_in(node, room.play)
        assert await lets_in(node, ticket)
        assert await lets_in(node, room.play, host="::1")
        await node.logged("limit reached")
        await node.logged("too many wrong passwords")

        before = node.pid("control")
        node.hang_up()
        await until(lambda: replaced(node, before))
        await node.ready()
        assert not await lets_in(node, room.play)
        assert await lets_in(node, room.play, host="::1")
        assert not viewer.is_closed


async def replaced(node: Node, before: int) -> bool:
    with suppress(FileNotFoundError):  # between two lives
        return node.pid("control") != before
    return False


@pytest.mark.alone  # each hash takes a core for its time
async def test_people_log_in_during_a_storm_of_wrong_logins(tmp_path: Path) -> None:
    node = Node(tmp_path / "node")
    node.settings = replace(node.settings, argon2_time_cost=3, argon2_memory_kib=65536)
    async with running(node), asyncio.TaskGroup() as group:
        await node.user()
        group.create_task(storm(node))
        async with httpx.AsyncClient(base_url=f"http://[::1]:{node.settings.http_port}", timeout=20) as elsewhere:
            for _ in range(SECONDS):
                await asyncio.sleep(1)
                async with asyncio.timeout(2):
                    login = {"account": "user1", "password": "secret-1"}
                    answer = await elsewhere.post("/live/Login", json=login)
                assert answer.json()["status"] == 10000


async def storm(node: Node) -> None:
    """Wrong logins at a steady rate, whether they are answered or not."""

    async def wrong(number: int) -> None:
        await node.http.post("/live/Login", json={"account": f"nobody{number}", "password": "guess"})

    async with asyncio.TaskGroup() as group:
        for number in range(STORM * SECONDS):
            group.create_task(wrong(number))
            await asyncio.sleep(1 / STORM)
