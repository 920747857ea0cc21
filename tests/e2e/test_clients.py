"""The manual's client examples: Python's and JavaScript's run against a node, and the others name what there is."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import Node, until
from tests.support import described

CLIENTS = Path(__file__).parents[2] / "docs" / "clients"
COMMANDS = {"client.py": [sys.executable, "-W", "error"], "client.mjs": ["node"]}


async def run(name: str, node: Node, account: str, phone: str) -> list[tuple[str, str]]:
    """The lines that it prints, each with what they begin with."""
    site = f"http://127.0.0.1:{node.settings.http_port}"
    command = [*COMMANDS[name], str(CLIENTS / name), site, account, phone, "secret-1"]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    printed, _ = await process.communicate()
    assert process.returncode == 0
    return [(kind, text) for kind, _, text in (line.partition(": ") for line in printed.decode().splitlines())]


@pytest.mark.anyio
@pytest.mark.parametrize("name", COMMANDS)
async def test_a_client_makes_a_room_and_another_watches_it(node: Node, name: str) -> None:
    [(kind, push)] = await run(name, node, "ann", "13500000008")
    assert kind == "push" and push.startswith(f"{node.rtmp}/")
    assert [("push", push)] == await run(name, node, "ann", "13500000008")
    room, _, key = push.removeprefix(f"{node.rtmp}/").partition("?")
    session = await node.user()

    async def listed() -> bool:
        return bool((await node.api("GetLiveRoomList", sessionId=session, type=1))["list"])

    async with node.publisher(f"{room}?{key}"):
        await until(listed)
        told = await run(name, node, "bob", "13500000009")
        assert [kind for kind, _ in told] == ["push", "live", "play", "play"]
        assert told[1][1] == f"{room} ann's room (0 watching)"
        async with node.player(told[2][1].removeprefix(f"{node.rtmp}/")):  # which is let in
            assert re.fullmatch(r"http://127.0.0.1:\d+/hls/[\w.~-]+/\d+/index.m3u8", told[3][1])
        followed = await node.api("GetLiveRoomList", sessionId=await node.log_in("bob"), type=2)
        assert [str(each["liveRoomId"]) for each in followed["onlineList"]] == [room]


@pytest.mark.parametrize("client", sorted(CLIENTS.glob("[cC]lient.*")), ids=lambda client: client.name)
def test_a_client_names_apis_and_fields_that_there_are(client: Path) -> None:
    text = client.read_text()
    apis = {path.rpartition("/")[2] for path in described.DOCUMENT["paths"]}
    asked = set(re.findall(r'\bask\(\s*"(\w+)"', text))
    assert (
        {"Register", "Login", "CreateLiveRoom", "GetLiveRoomList", "PlayLiveStream", "FollowLiveRoom"} <= asked <= apis
    )
    schemas = described.DOCUMENT["components"]["schemas"].values()
    fields = {name for schema in schemas for name in schema["properties"]}
    named = set(re.findall(r"\b(?:sessionId|live[rR]oom\w+|play[RH]\w+|playerCount|needPassword|isFollow)\b", text))
    assert len(named) > 6
    assert named - fields <= {"liveRooms"}  # a name of the example's own
