"""Operators' commands, against a node."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from control.settings import to_env
from tests.e2e.conftest import ROOT, Node

pytestmark = pytest.mark.anyio


def qplus(node: Node, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "control", *words],
        cwd=ROOT,
        env=node.env | to_env(node.settings),
        capture_output=True,
        text=True,
        timeout=60,
    )


def told(node: Node, *words: str) -> Any:
    done = qplus(node, *words, "--json")
    assert (done.returncode, done.stderr) == (0, ""), done
    return json.loads(done.stdout)


async def test_an_operator_finds_sees_and_closes_a_room(node: Node) -> None:
    room = await node.room(liveRoomName="ten [red]ants")
    async with node.publisher(room.push), node.player(room.play):
        await node.live(room)
        await node.counted(room, 1)
        assert [each["room"] for each in told(node, "room", "list", "ten")["rooms"]] == [room.id]
        assert told(node, "room", "show", str(room.id))["publisher"]["address"] == "127.0.0.1"
        assert told(node, "top", "--once")["rooms"][0]["viewers"] == 1
        for words in (["room", "list"], ["room", "show", str(room.id)], ["top", "--once"]):
            assert "[red]ants" in qplus(node, *words).stdout
        assert told(node, "room", "close", str(room.id), "--minutes", "5")["closed_for"] == 300
        await node.off_air(room)
    assert qplus(node, "room", "open", str(room.id)).stdout == "Open.\n"
    async with node.publisher(room.push):
        await node.live(room)
        assert told(node, "room", "end", str(room.id))["ended"]


async def test_an_operator_finds_a_user_and_signs_them_out(node: Node) -> None:
    session = await node.user()
    [user] = told(node, "user", "list", "user1")["users"]
    assert told(node, "user", "show", "user1")["logins"][0]["address"] == "127.0.0.1"
    assert "user1" in qplus(node, "user", "show", str(user["user"])).stdout
    assert told(node, "user", "sign-out", "user1")["ended"] == 1
    assert (await node.api("GetMyLiveRoom", sessionId=session))["status"] == 10003
    assert qplus(node, "user", "send-code", "user1").returncode == 0
    await node.logged("order carried out")


async def test_what_cannot_be_done_is_one_line(node: Node) -> None:
    done = qplus(node, "user", "show", "nobody")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "error: there is no user nobody\n")
