from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import structlog

from control.nginx_rtmp.kept_verdicts import EVERY, KEPT, KeptVerdicts
from tests.support.world import HandClock

pytestmark = pytest.mark.anyio

ROOM, OTHER, ANN, BOB = 7, 8, 1, 2


class Folder:
    def __init__(self, path: Path) -> None:
        self.path, self.clock = path, HandClock()
        self.kept = KeptVerdicts(path, self.clock)
        self.kept.clear()

    def keep(self, room: int, user: int, ticket: str, listing: str = "1 0") -> None:
        self.kept.keep(room, user, ticket, listing)

    async def after(self, seconds: float = 0) -> list[str]:
        """The files that are there."""
        self.clock.advance(seconds)
        await self.kept.write()
        return sorted(file.name for file in self.path.iterdir())


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "sockets" / "verdicts")


async def test_who_was_let_in_has_a_file_for_a_time(folder: Folder) -> None:
    folder.keep(ROOM, ANN, "ann")
    assert await folder.after() == ["7", "7.ann"]
    assert await folder.after(KEPT - 0.1) == ["7", "7.ann"]
    assert await folder.after(0.1) == []


async def test_who_is_let_in_again_has_it_longer(folder: Folder) -> None:
    folder.keep(ROOM, ANN, "ann")
    folder.keep(ROOM, BOB, "bob")
    folder.clock.advance(KEPT - 1)
    folder.keep(ROOM, ANN, "ann")
    assert await folder.after(1) == ["7", "7.ann"]


async def test_what_to_list_of_a_room_stands_in_a_file(folder: Folder) -> None:
    folder.keep(ROOM, ANN, "ann", "1800 0")
    folder.keep(OTHER, ANN, "ann", "1900 1950")
    assert await folder.after() == ["7", "7.ann", "8", "8.ann"]
    assert [(folder.path / room).read_text() for room in "78"] == ["1800 0", "1900 1950"]
    folder.keep(ROOM, BOB, "bob", "1801 0")
    await folder.after()
    assert (folder.path / "7").read_text() == "1801 0"


async def test_users_who_are_out_have_theirs_no_more(folder: Folder) -> None:
    folder.keep(ROOM, ANN, "phone")
    folder.keep(ROOM, ANN, "desk")
    folder.keep(ROOM, BOB, "bob")
    folder.keep(OTHER, ANN, "ann")
    folder.kept.withdraw(ROOM, {ANN})
    assert await folder.after() == ["7", "7.bob", "8", "8.ann"]


async def test_nobody_is_to_go_from_a_room_without_viewers(folder: Folder) -> None:
    folder.kept.withdraw(ROOM, {ANN})
    assert await folder.after() == []


async def test_what_a_control_before_has_left_goes(folder: Folder) -> None:
    folder.keep(ROOM, ANN, "ann")
    await folder.after()
    folder.kept.clear()
    assert list(folder.path.iterdir()) == []


async def test_a_file_that_cannot_be_made_is_told_once_and_keeps_no_other_from_going(folder: Folder) -> None:
    folder.keep(ROOM, ANN, "ann")
    await folder.after()
    (folder.path / "8.bob").mkdir()
    with structlog.testing.capture_logs() as logs:
        for _ in range(2):
            folder.keep(OTHER, BOB, "bob")
            folder.kept.withdraw(ROOM, {ANN})
            assert await folder.after() == ["8", "8.bob"]
    assert [each["event"] for each in logs] == ["verdicts are not kept"]
    assert "bob" not in str(logs)


async def test_who_may_not_stay_is_removed_as_soon_as_that_can_be_done(folder: Folder) -> None:
    folder.keep(ROOM, ANN, "ann")
    await folder.after()
    (folder.path / "7.ann").unlink()
    (folder.path / "7.ann").mkdir()  # so that it cannot be
    folder.kept.withdraw(ROOM, {ANN})
    assert await folder.after() == ["7.ann"]
    (folder.path / "7.ann").rmdir()
    (folder.path / "7.ann").touch()
    assert await folder.after() == []


async def test_there_is_a_turn_once_there_is_something_to_do(folder: Folder) -> None:
    turn = asyncio.ensure_future(folder.kept.next_turn())
    await asyncio.sleep(0)
    folder.clock.advance(10 * EVERY)
    await asyncio.sleep(0)
    assert not turn.done()
    folder.keep(ROOM, ANN, "ann")
    for _ in range(3):
        await asyncio.sleep(0)
    folder.clock.advance(EVERY)
    await asyncio.wait_for(turn, 1)
