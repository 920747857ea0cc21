"""What is kept, and that it is kept."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.util import CommandError

from control.settings import Settings
from control.storage import database, migrate
from control.storage.database import Store, insert, listed, numbered, opened
from control.storage.engine import engine_of
from control.storage.tables import FIRST_ROOM_ID, broadcasts, metadata, on_air, sent_messages
from tests.support.rows import VAULT, add_room
from tests.support.world import Box, HandClock

pytestmark = pytest.mark.anyio


@pytest.fixture
async def store(settings: Settings) -> AsyncIterator[Store]:
    async with opened(settings.database, HandClock()) as store:
        yield store


def message(subject: str) -> sa.Insert:
    return sent_messages.insert().values(subject=subject, sent_at=1.0)


async def subjects(store: Store) -> list[str]:
    return [row["subject"] for row in await store.fetch_all(sa.select(sent_messages.c.subject))]


def test_the_migrations_make_the_schema_of_this_release(settings: Settings) -> None:
    def differences(connection: sa.Connection) -> object:
        return compare_metadata(MigrationContext.configure(connection), metadata)

    assert engine_of(settings.database).migrating(settings.database, differences) == []


def test_a_second_upgrade_changes_nothing(settings: Settings) -> None:
    migrate.upgrade(settings.database)
    migrate.upgrade(settings.database)


async def test_what_was_on_air_before_broadcasts_were_kept_goes_on_as_one(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'old.db'}"
    migrate.upgrade(url, to="0001")
    async with opened(url, HandClock()) as store:
        room = await add_room(store, 1)
        row = {"node": "local", "room_id": room, "live_since": 1000.0, "players": 3, "expires_at": 2015.0}
        await store.write(on_air.insert().values(row))
    migrate.upgrade(url, seal=VAULT.seal_text)
    async with opened(url, HandClock()) as store:
        (kept,) = await store.fetch_all(sa.select(broadcasts))
    assert (kept["room_id"], kept["started_at"], kept["seen_at"], kept["closed"]) == (room, 1000.0, 2000.0, False)


async def test_two_upgrades_at_once_wait_for_each_other(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new' / 'qplus.db'}"
    await asyncio.gather(*(asyncio.to_thread(migrate.upgrade, url) for _ in range(2)))
    async with opened(url, HandClock()) as store:
        assert await subjects(store) == []


@pytest.mark.sqlite
def test_a_database_of_a_later_release_is_refused(settings: Settings) -> None:
    with sqlite3.connect(settings.data_dir / "qplus.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(CommandError, match="9999"):
        migrate.upgrade(settings.database)


def test_a_database_of_another_kind_is_refused() -> None:
    for url in ("mysql://host/name", "sqlite://", "name", "postgresql://host:port/name"):
        with pytest.raises(ValueError, match="must be"):
            migrate.upgrade(url)


def test_the_database_is_its_owners_alone(tmp_path: Path) -> None:
    migrate.upgrade(f"sqlite:///{tmp_path / 'qplus.db'}")
    assert stat.S_IMODE((tmp_path / "qplus.db").stat().st_mode) == 0o600


@pytest.mark.sqlite
async def test_every_connection_has_sqlites_settings(store: Store) -> None:
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}
    async with store.writing() as writer, store.reading() as one, store.reading() as two, store.reading() as three:
        for connection in (writer, one, two, three):
            rows = {name: await connection.fetch_one(sa.text(f"PRAGMA {name}")) for name in wanted}
            assert {name: row[0] for name, row in rows.items() if row} == wanted


async def test_a_failed_block_leaves_nothing_and_the_connection_works_on(store: Store) -> None:
    with pytest.raises(RuntimeError):
        async with store.writing() as connection:
            await connection.execute(message("lost"))
            raise RuntimeError
    await store.write(message("kept"))
    assert await subjects(store) == ["kept"]


@pytest.mark.sqlite
async def test_a_lock_that_was_not_had_is_forgotten_and_the_store_can_be_left(settings: Settings) -> None:
    before = set(threading.enumerate())
    async with opened(settings.database, HandClock()) as store:
        async with store.writing() as connection:
            await connection.execute(sa.text("PRAGMA busy_timeout=1"))
        with sqlite3.connect(settings.data_dir / "qplus.db", isolation_level=None) as other:
            other.execute("BEGIN EXCLUSIVE")
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                await store.write(message("lost"))
            other.execute("ROLLBACK")
        other.close()
        await store.write(message("kept"))
        assert await subjects(store) == ["kept"]
    for thread in set(threading.enumerate()) - before:  # SQLite's, one for each connection
        thread.join(5)
        assert not thread.is_alive()


async def test_writers_stand_in_line(store: Store) -> None:
    async def add(number: int) -> None:
        async with store.writing() as connection:
            row = await connection.fetch_one(sa.select(sa.func.count()).select_from(sent_messages))
            assert row is not None
            await connection.execute(message(f"{number} after {row[0]}"))

    await asyncio.gather(*(add(number) for number in range(30)))
    counts = sorted(int(subject.split()[-1]) for subject in await subjects(store))
    assert counts == list(range(30))


async def test_a_write_that_waits_too_long_for_a_connection_fails(settings: Settings) -> None:
    clock = HandClock()
    async with opened(settings.database, clock) as store:
        async with store.writing() as connection:
            late = asyncio.create_task(store.write(message("late")))
            await asyncio.sleep(0)
            clock.advance(database.PATIENCE)
            with pytest.raises(TimeoutError):
                await late
            await connection.execute(message("first"))
        await store.write(message("next"))
        assert await subjects(store) == ["first", "next"]


@pytest.mark.sqlite
async def test_foreign_keys_are_kept(store: Store) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        await store.write(sa.text("INSERT INTO sessions (digest, user_id, used_at) VALUES ('x', 77, 1.0)"))


async def test_many_rows_go_in_as_one_statement(store: Store) -> None:
    rows = [(f"s{number}", number + 0.5) for number in range(500)]
    names = ("subject", "sent_at")
    await store.write(insert(sent_messages).from_select(names, listed(rows, sent_messages.c[names])))
    assert len(await subjects(store)) == 500


async def test_a_list_of_ids_keeps_its_order(store: Store) -> None:
    ids = numbered([5, 3, 9])
    rows = await store.fetch_all(sa.select(ids.c.value).order_by(ids.c.key))
    assert [row["value"] for row in rows] == [5, 3, 9]


async def test_the_first_room_has_the_contracts_number(box: Box) -> None:
    ann = await box.session("ann", "13500000000")
    assert (await box.api("CreateLiveRoom", sessionId=ann, liveRoomName="r"))["liveRoomId"] == FIRST_ROOM_ID


KILLED = """
import asyncio, os, signal, sys
from control.clock import SystemClock
from control.storage.database import opened
from control.storage.tables import sent_messages
async def main():
    async with opened(sys.argv[1], SystemClock()) as store:
        await store.write(sent_messages.insert().values(subject="acknowledged", sent_at=1.0))
        os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""


async def test_what_was_written_survives_a_kill(settings: Settings) -> None:
    ended = subprocess.run([sys.executable, "-c", KILLED, settings.database], check=False)  # noqa: ASYNC221
    assert ended.returncode == -signal.SIGKILL
    async with opened(settings.database, HandClock()) as store:
        assert await subjects(store) == ["acknowledged"]
