"""A node that began with SQLite goes on with PostgreSQL."""

import subprocess
from pathlib import Path

import pytest

from control.settings import to_env
from tests.e2e.conftest import Node, running
from tests.support.postgres import Postgres

pytestmark = pytest.mark.anyio


def moved(node: Node, url: str) -> subprocess.CompletedProcess[str]:
    command = [*node.program, "migrate", url]
    return subprocess.run(command, cwd=node.code, env=node.env | to_env(node.settings), capture_output=True, text=True)


async def test_a_node_is_moved_and_goes_on(tmp_path: Path, postgres: Postgres) -> None:
    url, node = postgres.made(), Node(tmp_path / "node")
    async with running(node):
        room = await node.room()
        tried = moved(node, url)
        assert tried.returncode == 1 and "already running" in tried.stderr
    told = moved(node, url)
    assert told.returncode == 0, told.stderr
    assert "rooms: 1 rows, all the same" in told.stdout and "Moved: " in told.stdout
    again = moved(node, url)
    assert again.returncode == 1 and "has rows already" in again.stderr
    there = Node(tmp_path / "node", database_url=url)
    async with running(there), there.publisher(room.push):
        await there.live(room)
        async with there.player(room.play) as player:
            await player.until(lambda: player.media > 0)
            await there.counted(room, 1)
