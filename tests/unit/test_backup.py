"""All data of a node in one file, and back."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from control import cli
from control.settings import Settings, to_env
from control.storage import backup
from control.storage.engine import engine_of
from control.storage.tables import FIRST_ROOM_ID, metadata, rooms, users
from control.supervisor import folders
from tests.support.postgres import Postgres
from tests.support.stage import staged
from tests.support.world import box, quick_settings

pytestmark = pytest.mark.anyio


class Qplus:
    """The commands of one node."""

    def __init__(self, settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.settings = settings
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def told(self, *words: str | Path) -> Any:
        assert self._run(*words, "--json") == 0
        return json.loads(self._capsys.readouterr().out)

    def failure(self, *words: str | Path) -> str:
        assert self._run(*words) == 1
        return self._capsys.readouterr().err

    def at(self, settings: Settings) -> Qplus:
        return Qplus(settings, self._monkeypatch, self._capsys)

    def _run(self, *words: str | Path) -> int:
        for name, value in to_env(self.settings).items():
            self._monkeypatch.setenv(name, value)
        self._capsys.readouterr()  # what was logged before
        return cli.main([*map(str, words)])


@pytest.fixture
def node(settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Qplus:
    """With users and a room, one of whom is gone."""
    asyncio.run(filled(settings))
    return Qplus(settings, monkeypatch, capsys)


async def filled(settings: Settings) -> None:
    async with box(settings) as opened:
        for number in range(3):
            await staged(opened, number)
        session = await opened.session("gone", "13900000000")
        assert (await opened.api("DeleteMyAccount", sessionId=session, password="secret-1"))["status"] == 10000


@pytest.fixture
def elsewhere(node: Qplus, tmp_path: Path) -> Qplus:
    """A node of the same keys that has nothing yet."""
    other = quick_settings(tmp_path / "elsewhere")
    (other.data_dir / "keys").mkdir(parents=True)
    for name in ("tickets", "rooms"):
        (other.data_dir / "keys" / name).write_bytes((node.settings.data_dir / "keys" / name).read_bytes())
    return node.at(other)


@pytest.fixture
def saved(node: Qplus, tmp_path: Path) -> Path:
    file = tmp_path / "saved.tar"
    node.told("backup", file)
    return file


def rows_of(settings: Settings) -> dict[str, list[Any]]:
    def read(connection: sa.Connection) -> dict[str, list[Any]]:
        return {table.name: sorted(map(repr, connection.execute(sa.select(table)))) for table in metadata.sorted_tables}

    return engine_of(settings.database).snapshot(settings.database, read)


def test_what_is_put_back_is_what_was_there(node: Qplus, elsewhere: Qplus, saved: Path) -> None:
    told = elsewhere.told("restore", saved)
    assert (told["rows"]["users"], told["rows"]["rooms"], told["restored"]) == (3, 3, True)
    assert rows_of(elsewhere.settings) == rows_of(node.settings)


async def test_a_node_works_with_it_and_gives_no_number_again(node: Qplus, elsewhere: Qplus, saved: Path) -> None:
    elsewhere.told("restore", saved)
    async with box(elsewhere.settings) as opened:
        room = await opened.running.live.admission.room(FIRST_ROOM_ID)
        assert room is not None and room.anchor_password
        made = await opened.api("Register", account="new", phone="13800000000", password="secret-1")
        assert made["status"] == 10000
        row = await opened.running.store.fetch_one(sa.select(users.c.id).where(users.c.account == "new"))
        assert row is not None and row["id"] == 5


async def test_it_is_made_while_the_node_writes(node: Qplus, tmp_path: Path) -> None:
    async with box(node.settings) as opened, opened.running.store.writing() as connection:
        await connection.execute(users.update().values(nick_name="half"))
        told = await asyncio.to_thread(node.told, "backup", tmp_path / "online.tar")
    assert told["rows"]["users"] == 3
    folder = tmp_path / "unpacked"
    folder.mkdir()
    backup.unpacked(tmp_path / "online.tar", folder)
    with closing(sqlite3.connect(folder / backup.DATA)) as copy:
        assert copy.execute("SELECT count(*) FROM users WHERE nick_name = 'half'").fetchone() == (0,)


def test_the_file_is_its_owners_alone_and_overwrites_none(node: Qplus, saved: Path) -> None:
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    assert node.failure("backup", saved) == f"error: {saved} is there already\n"
    assert sorted(each.name for each in saved.parent.iterdir() if each.name.startswith(".qplus")) == []


def test_keys_are_in_it_only_if_they_are_asked_for(node: Qplus, saved: Path, tmp_path: Path) -> None:
    with_keys = tmp_path / "with_keys.tar.gz"
    node.told("backup", with_keys, "--with-keys")
    other = node.at(quick_settings(tmp_path / "other"))
    assert "the key of rooms' passwords" in other.failure("restore", saved)
    assert not (other.settings.data_dir / "qplus.db").exists()
    other.told("restore", with_keys)
    for name in ("tickets", "rooms"):
        key = other.settings.data_dir / "keys" / name
        assert key.read_bytes() == (node.settings.data_dir / "keys" / name).read_bytes()
        assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_a_file_that_was_damaged_is_not_put_back(elsewhere: Qplus, saved: Path) -> None:
    whole = saved.read_bytes()
    for place in (len(whole) // 2, 3 * len(whole) // 4):
        saved.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert "damaged" in elsewhere.failure("restore", saved, "--check")
    saved.write_bytes(whole[: len(whole) // 2])
    assert "damaged" in elsewhere.failure("restore", saved)
    saved.write_bytes(b"other")
    assert "no backup of ours" in elsewhere.failure("restore", saved)
    assert not (elsewhere.settings.data_dir / "qplus.db").exists()


def test_it_is_looked_at_without_being_put_back(elsewhere: Qplus, saved: Path) -> None:
    assert elsewhere.told("restore", saved, "--check")["restored"] is False
    assert not (elsewhere.settings.data_dir / "qplus.db").exists()


@pytest.mark.sqlite
def test_what_is_there_is_put_aside_only_if_that_is_asked_for(node: Qplus, saved: Path) -> None:
    before = rows_of(node.settings)
    assert node.failure("restore", saved).endswith("qplus.db is there already\n")
    [aside] = node.told("restore", saved, "--replace")["aside"]
    assert rows_of(node.settings) == before
    assert Path(aside).stat().st_size


@pytest.mark.sqlite
def test_what_cannot_be_put_back_leaves_what_is_there(
    node: Qplus, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*given: object) -> None:
        raise backup.BackupError("no space")

    monkeypatch.setattr(backup, "put_back", fail)
    before = rows_of(node.settings)
    assert node.failure("restore", saved, "--replace") == "error: no space\n"
    assert rows_of(node.settings) == before


def test_a_node_that_runs_is_left_alone(node: Qplus, saved: Path) -> None:
    with folders.locked(node.settings):
        assert "already running" in node.failure("restore", saved, "--replace")


def test_other_keys_are_not_overwritten(node: Qplus, elsewhere: Qplus, tmp_path: Path) -> None:
    with_keys = tmp_path / "with_keys.tar"
    node.told("backup", with_keys, "--with-keys")
    key = elsewhere.settings.data_dir / "keys" / "tickets"
    key.write_text("k1 other\n")
    assert "is another key than the file's" in elsewhere.failure("restore", with_keys)
    assert key.read_text() == "k1 other\n"
    elsewhere.told("restore", with_keys, "--replace")
    assert key.read_text() != "k1 other\n"


@pytest.fixture
def server(node: Qplus, postgres: Postgres) -> Iterator[Qplus]:
    """The same keys, over a PostgreSQL that has nothing."""
    yield node.at(replace(node.settings, database_url=postgres.made()))


@pytest.mark.sqlite
def test_it_goes_into_postgresql_and_out_again(node: Qplus, server: Qplus, saved: Path, tmp_path: Path) -> None:
    server.told("restore", saved)
    assert rows_of(server.settings) == rows_of(node.settings)
    assert "has rows already" in server.failure("restore", saved)
    again = tmp_path / "again.tar"
    assert server.told("backup", again)["rows"]["rooms"] == 3
    back = node.at(replace(node.settings, data_dir=node.settings.data_dir, database_url=f"sqlite:///{tmp_path}/b.db"))
    back.told("restore", again)
    assert rows_of(back.settings) == rows_of(node.settings)

    def given(connection: sa.Connection) -> Any:
        query = sa.text("SELECT seq FROM sqlite_sequence WHERE name = 'users'")
        return connection.execute(query).scalar_one()

    assert engine_of(back.settings.database).snapshot(back.settings.database, given) == 4
    assert rooms.name in rows_of(back.settings)
