"""A disk that is full to the last byte, and a database that another program locks, under a live stream."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from control.storage.database import PATIENCE
from tests.chaos.scenes import UPDATE, broadcast, nobody_was_cut, replaced, right
from tests.e2e.conftest import Node, Room, running
from tests.rtmp.client import Refused

pytestmark = pytest.mark.anyio

OK, SERVER_ERROR = 10000, 10001
SIZE = 100  # words of a description


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small one of the test's own."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "none", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
async def small_node(disk: Path) -> AsyncIterator[Node]:
    """Database and log are on the small disk."""
    async with running(Node(disk / "node", update_seconds=UPDATE)) as started:
        yield started


@contextmanager
def full(disk: Path) -> Iterator[None]:
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
        while True:
            file.write(bytes(4096))
    try:
        yield
    finally:
        filler.unlink()


@contextmanager
def locked(node: Node) -> Iterator[None]:
    """As a backup or a hand at the database's own shell may do."""
    database = sqlite3.connect(node.settings.data_dir / "qplus.db", isolation_level=None)
    try:
        database.execute("BEGIN EXCLUSIVE")
        yield
        database.execute("ROLLBACK")
    finally:
        database.close()


async def describe(node: Node, room: Room, text: str, session: str = "") -> int:
    """The status of a write of some size, by any login of the owner."""
    wanted = {"sessionId": session or room.session, "liveRoomDesc": text * SIZE}
    return int((await node.api("ModifyMyLiveRoom", **wanted))["status"])


async def description(node: Node, room: Room) -> str:
    text: str = (await node.api("GetMyLiveRoom", sessionId=room.session))["liveRoomDesc"]
    return text


async def timed(work: Awaitable[Any]) -> tuple[Any, float]:
    began = time.monotonic()
    return await work, time.monotonic() - began


async def verdicts_are_given(node: Node, room: Room) -> None:
    async with node.player(room.play), node.client() as stranger:
        with pytest.raises(Refused):
            await stranger.play(f"{room.id}?pwd=wrong")


async def ends_in_order(node: Node) -> bool:
    return await asyncio.to_thread(node.stop) == 0 and "child killed" not in node.log.read_text()


async def test_a_full_disk_cuts_nobody_and_fails_writes_at_once(small_node: Node, disk: Path) -> None:
    node, other = small_node, await small_node.room()
    async with broadcast(node) as (room, clients):
        assert await describe(node, room, "acknowledged") == OK
        with full(disk):
            for _ in range(5):
                status, seconds = await timed(describe(node, room, "refused"))
                assert status == SERVER_ERROR and seconds < PATIENCE
            await verdicts_are_given(node, room)
            async with node.publisher(other.push):
                await asyncio.sleep(3 * UPDATE)
            assert await description(node, room) == "acknowledged" * SIZE
            assert nobody_was_cut(clients)
        await right(node, room, live=True, players=3)
        await right(node, other, live=False, players=0)
        assert await describe(node, room, "after") == OK
        assert await description(node, room) == "after" * SIZE
        assert nobody_was_cut(clients)
    assert await ends_in_order(node)


async def test_a_control_that_dies_on_a_full_disk_is_back_when_there_is_room(small_node: Node, disk: Path) -> None:
    node = small_node
    async with broadcast(node) as (room, clients):
        assert await describe(node, room, "acknowledged") == OK
        control = node.pid("control")
        with full(disk):
            os.kill(control, signal.SIGKILL)
            await asyncio.sleep(5)
            assert nobody_was_cut(clients)
        await replaced(node, "control", control)
        await right(node, room, live=True, players=3)
        assert await description(node, room) == "acknowledged" * SIZE
        assert nobody_was_cut(clients)


async def test_a_locked_database_cuts_nobody_and_keeps_no_write_waiting_for_long(node: Node) -> None:
    async with broadcast(node) as (room, clients):
        assert await describe(node, room, "acknowledged") == OK
        logins = [await node.log_in("user1") for _ in range(10)]  # of one, few writes are worked on at a time
        with locked(node):
            writes = [asyncio.create_task(timed(describe(node, room, "refused", login))) for login in logins]
            await verdicts_are_given(node, room)
            answers = await asyncio.gather(*writes)
            assert {status for status, _ in answers} == {SERVER_ERROR}
            assert max(seconds for _, seconds in answers) < 2 * PATIENCE + 1  # in line, and at the lock
            assert await description(node, room) == "acknowledged" * SIZE
            assert nobody_was_cut(clients)
        await right(node, room, live=True, players=3)
        assert await describe(node, room, "after") == OK
        assert nobody_was_cut(clients)
    assert await ends_in_order(node)


async def test_a_write_waits_out_a_short_lock(node: Node) -> None:
    room = await node.room()
    with locked(node):
        writing = asyncio.create_task(describe(node, room, "late"))
        await asyncio.sleep(2)
        assert not writing.done()
    assert await writing == OK
    assert await description(node, room) == "late" * SIZE
