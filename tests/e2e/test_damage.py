"""A database that is not what it was, at the start of a whole node and while it runs."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.e2e.conftest import Node, running, until

pytestmark = pytest.mark.anyio


def scribble(path: Path, at: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(b"\xa5" * 200)


async def test_a_start_with_a_damaged_database_ends_with_one_line_that_names_the_way_back(tmp_path: Path) -> None:
    async with running(Node(tmp_path / "node")) as before:
        await before.room()
    for file in tmp_path.glob("node/qplus.db-*"):  # noqa: ASYNC240
        file.unlink()
    scribble(tmp_path / "node" / "qplus.db", 4096)
    node = Node(tmp_path / "node")
    node.start()
    assert await asyncio.to_thread(node.wait) == 1
    lines = [line for line in node.log.read_text().partition("control ended")[2].splitlines() if "error:" in line]
    assert len(lines) == 2 and "is damaged" in lines[0] and "docs/operations.md, Backup" in lines[0]
    assert "Traceback" not in node.log.read_text()
    assert "ended again and again" not in node.log.read_text()
    await node.http.aclose()


async def test_a_database_that_is_damaged_while_streams_run_cuts_none_and_is_said(node: Node) -> None:
    room = await node.room()
    async with node.publisher(room.push) as publisher:
        await node.live(room)
        node.hang_up()  # what stands in the log of the database goes into its file
        await node.logged("control ended")
        await node.ready()
        scribble(node.settings.data_dir / "qplus.db", 4096)

        async def not_ready() -> bool:
            return (await node.http.get("/readyz")).status_code == 503

        await until(not_ready, 25)
        node.hang_up()
        await node.logged("child gives up", 20)
        assert not publisher.is_closed
    text = node.log.read_text()
    assert text.count("error: the database") == 1
