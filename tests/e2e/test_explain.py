"""An operator asks afterwards what had happened."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
from typing import Any

import pytest

from control.blackbox.ring import BLACK_BOX, files
from control.settings import to_env
from tests.chaos.scenes import worker_of
from tests.e2e.conftest import Node, until

pytestmark = pytest.mark.anyio


async def qplus(node: Node, *words: str) -> str:
    """What a command prints."""
    env = node.env | to_env(node.settings)
    ended = await asyncio.to_thread(subprocess.run, [*node.program, *words], env=env, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


async def explained(node: Node, room: int, *words: str) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(await qplus(node, "explain", str(room), "--json", *words))
    return facts


async def test_the_story_of_a_room_whose_nginx_worker_was_killed(node: Node) -> None:
    room = await node.room()
    async with node.publisher(room.push) as publisher, node.player(room.play) as player:
        await node.live(room)
        await node.counted(room, 1)

        async def is_written() -> bool:  # as it is once a second
            return any(file.stat().st_size for file in files(node.settings.data_dir / BLACK_BOX))

        await until(is_written)

        async def is_told_as_it_is() -> dict[str, Any] | None:
            facts = await explained(node, room.id)
            return facts if (facts["live"], facts["players"]) == (True, 1) else None

        told = await until(is_told_as_it_is)
        assert told["why"].startswith("publisher ") and "heard of" in told["why"]
        os.kill(worker_of(node.pid("rtmp")), signal.SIGKILL)
        await publisher.closed()
        await player.closed()
    await node.off_air(room, within=10)

    async def is_over() -> str:
        text = await qplus(node, "explain", str(room.id))
        return text if "nobody publishes; 0 viewers" in text else ""

    text = await until(is_over)
    places = [
        text.index(each) for each in ("came from 127.0.0.1: nginx asked", "sends media, and the room", " is over, ")
    ]
    assert places == sorted(places)
    print(text)
    record = node.settings.data_dir.parent / "record.jsonl.gz"
    await qplus(node, "record", str(record), "--from", "2026-01-01T00:00")
    again = await qplus(node, "explain", str(room.id), "--file", str(record))
    assert "address 1" in again and "127.0.0.1" not in again
    assert again.replace("address 1", "127.0.0.1").splitlines()[:-1] == text.splitlines()[:-1]
