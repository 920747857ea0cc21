"""Operators' commands, against a node."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from control.settings import to_env
from tests.e2e.conftest import ROOT, Node
from tests.rtmp.client import Refused

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


async def test_an_operator_limits_a_users_room(node: Node) -> None:
    room = await node.room()
    assert qplus(node, "limit", "user1").stdout.splitlines()[0] == "viewers: no limit (as for all)"
    assert told(node, "limit", "user1", "--viewers", "1", "--kbps", "usual")["own"]["viewers"] == 1
    assert qplus(node, "limit", "user1", "--viewers", "many").stderr == "error: --viewers: a number, or usual\n"
    async with node.publisher(room.push), node.player(room.play) as first:
        await node.counted(room, 1)
        async with node.client() as other:
            with pytest.raises(Refused):
                await other.play(room.play)
        assert not first.is_closed
    await node.logged("room is full")


async def test_what_cannot_be_done_is_one_line(node: Node) -> None:
    done = qplus(node, "user", "show", "nobody")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "error: there is no user nobody\n")


async def test_a_key_is_changed_while_a_stream_goes_on_and_old_tickets_hold(node: Node) -> None:
    room = await node.room()
    viewer = await node.user()
    url = (await node.api("PlayLiveStream", sessionId=viewer, liveroomId=room.id, status=1))["playRtmpUrl"]
    async with node.publisher(room.push) as publisher:
        await node.live(room)
        assert told(node, "rotate-key", "tickets")["restarted"]
        assert not publisher.is_closed
        async with node.player(url.rpartition("/")[2]):
            await node.counted(room, 1)


async def test_a_node_is_as_it_was_at_its_backup(node: Node, tmp_path: Path) -> None:
    room = await node.room(liveRoomName="before")
    saved = tmp_path / "saved.tar"
    told(node, "backup", str(saved))
    await node.api("ModifyMyLiveRoom", sessionId=room.session, liveRoomName="after")
    assert "already running" in qplus(node, "restore", "--replace", str(saved)).stderr
    assert node.stop() == 0
    assert told(node, "restore", "--replace", str(saved))["rows"]["rooms"] == 1
    node.start()
    await node.ready()
    assert (await node.api("GetMyLiveRoom", sessionId=room.session))["liveRoomName"] == "before"
