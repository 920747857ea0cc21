from __future__ import annotations

import errno
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from control.settings import Settings
from control.storage import integrity
from control.storage.integrity import Unusable
from control.web.health import Health
from tests.support import world
from tests.support.people import person
from tests.support.world import Box, HandClock

pytestmark = pytest.mark.anyio


def scribble(path: Path, at: int, size: int = 200) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(b"\xa5" * size)


@pytest.fixture
def file(settings: Settings) -> Path:
    """A database with something in it, and nothing beside it."""
    path = settings.data_dir / "qplus.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    return path


async def started(settings: Settings) -> None:
    async with world.box(settings):
        pass


@pytest.mark.parametrize("at", [0, 100, 4096, 5 * 4096])
async def test_a_damaged_database_is_said_in_one_line_with_the_way_back(
    settings: Settings, file: Path, at: int
) -> None:
    scribble(file, at)
    with pytest.raises(Unusable, match=r"damaged .*backup.*docs/operations\.md, Backup") as raised:
        await started(settings)
    assert str(file) in str(raised.value) and "\n" not in str(raised.value)


@pytest.mark.parametrize("gone", [True, False])
async def test_an_empty_file_where_there_was_a_database_is_no_new_start(
    settings: Settings, file: Path, gone: bool
) -> None:
    await started(settings)
    for each in settings.data_dir.glob("qplus.db*"):
        each.unlink()
    if not gone:
        file.touch()  # noqa: ASYNC240
    marker = settings.data_dir / "keys" / "database"
    with pytest.raises(Unusable, match=f"gone or empty.*backup.*or remove {marker} to begin with nothing"):
        await started(settings)
    marker.unlink()
    await started(settings)


async def test_a_first_start_makes_the_database(settings: Settings, file: Path) -> None:
    size = file.stat().st_size  # noqa: ASYNC240
    file.unlink()  # noqa: ASYNC240
    await started(settings)
    assert size <= file.stat().st_size  # noqa: ASYNC240


async def test_a_database_that_is_whole_is_ready(box: Box) -> None:
    await box.running.health.look()
    assert (await box.http.get("/readyz")).status_code == 200


async def test_damage_while_it_runs_makes_it_not_ready(box: Box) -> None:
    await person(box)
    path = box.settings.data_dir / "qplus.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    scribble(path, 4096)
    await box.running.health.look()
    answer = await box.http.get("/readyz")
    assert (answer.status_code, "damaged" in answer.text) == (503, True)


async def test_a_disk_without_space_makes_it_not_ready_until_there_is_some(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.posix_fallocate", full)
        await box.running.health.look()
        answer = await box.http.get("/readyz")
        assert (answer.status_code, answer.text) == (503, "not ready: the disk is full\n")
    await box.running.health.look()
    assert (await box.http.get("/readyz")).status_code == 200
    assert not (box.settings.data_dir / ".space").exists()


async def test_a_database_that_another_holds_makes_it_not_ready(box: Box) -> None:
    with closing(sqlite3.connect(box.settings.data_dir / "qplus.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        await box.running.health.look()
        assert (await box.http.get("/readyz")).text == "not ready: the database takes no writes (OperationalError)\n"
    await box.running.health.look()
    assert (await box.http.get("/readyz")).status_code == 200


async def test_a_large_file_is_not_read_over_and_over(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    readings = []
    clock = HandClock()
    health = Health(store=box.running.store, nodes=box.running.live.nodes, database=box.settings.database, clock=clock)

    def slow(path: Path, whole: bool = True) -> str:
        readings.append(path)
        clock.advance(3)
        return ""

    monkeypatch.setattr(integrity, "damage", slow)
    for _ in range(5):
        await health.look()
    assert len(readings) == 1
    clock.advance(300)
    await health.look()
    assert len(readings) == 2
