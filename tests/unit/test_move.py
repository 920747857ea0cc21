"""A node's data, moved from SQLite to PostgreSQL."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from control.storage import migrate, postgresql
from control.storage.engine import Unreachable, engine_of
from control.storage.move import MoveError, move
from control.storage.tables import broadcasts, metadata, rooms, users
from tests.support.postgres import Postgres


@pytest.fixture
def here(tmp_path: Path) -> str:
    """Users who have rooms, broadcasts and pictures, one of whom is gone again."""
    url = f"sqlite:///{tmp_path / 'here.db'}"
    migrate.upgrade(url)
    engine_of(url).migrating(url, fill)
    return url


def fill(connection: sa.Connection) -> None:
    person = {"email": None, "email_key": None, "password_hash": "h", "sex": 1, "address": "", "head_picture_id": 0}
    for number in range(2500):
        name = f"人{number}"
        connection.execute(
            users.insert().values(
                account=name, account_key=name, phone=str(number), nick_name=name, created_at=number / 3, **person
            )
        )
    room = {"anchor_password": "a", "assist_password": "b", "user_password": "c", "is_open": True, "follow_count": 0}
    text = {"name": "r", "description": "", "topic": "", "password_generation": 1, "gate_shut_until": 0.1}
    connection.execute(rooms.insert().values(owner_id=7, created_at=1.5, **room, **text))
    air = {"publisher": "x", "encoder": "", "peak_viewers": 1, "total_viewers": 2, "watch_seconds": 1 / 3}
    connection.execute(
        broadcasts.insert().values(room_id=1000001, started_at=1e9 / 7, seen_at=2.0, closed=False, **air)
    )
    connection.execute(users.delete().where(users.c.id == 2500))


def counted(connection: sa.Connection) -> dict[str, int]:
    return {
        table.name: connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
        for table in metadata.sorted_tables
    }


def test_all_of_it_comes_there_and_numbers_go_on(here: str, postgres: Postgres) -> None:
    there, said = postgres.made(), list[str]()
    assert move(here, there, said.append) == 2501
    assert f"{users.name}: 2499 rows, all the same" in said

    def look(connection: sa.Connection) -> None:
        assert counted(connection)["users"] == 2499
        assert connection.execute(sa.select(broadcasts.c.started_at)).scalar_one() == 1e9 / 7
        person = sa.select(*(column for column in users.c if column.name not in ("id", "account_key", "phone")))
        names = [column.name for column in person.selected_columns]
        given = person.add_columns(sa.literal("k"), sa.literal("p")).limit(1)
        made = users.insert().from_select([*names, "account_key", "phone"], given).returning(users.c.id)
        assert connection.execute(made).scalar_one() == 2501

    engine_of(there).migrating(there, look)


def test_what_is_there_already_is_left_alone(here: str, postgres: Postgres) -> None:
    there = postgres.made()
    move(here, there, lambda said: None)
    with pytest.raises(MoveError, match="has rows already, in users, "):
        move(here, there, lambda said: None)


def test_a_row_that_cannot_be_there_leaves_it_empty(here: str, postgres: Postgres) -> None:
    there = postgres.made()
    migrate.upgrade(there)
    postgres.run("ALTER TABLE broadcasts ADD CHECK (watch_seconds = 0)", there.rpartition("/")[2])
    with pytest.raises(sa.exc.IntegrityError):
        move(here, there, lambda said: None)
    assert set(engine_of(there).migrating(there, counted).values()) == {0}


def test_a_row_that_comes_out_as_another_is_noticed(here: str, postgres: Postgres) -> None:
    there = postgres.made()
    migrate.upgrade(there)
    postgres.run("ALTER TABLE broadcasts ALTER started_at TYPE real", there.rpartition("/")[2])
    with pytest.raises(MoveError, match="broadcasts: a row came out as another"):
        move(here, there, lambda said: None)


def test_data_of_another_release_is_not_moved(tmp_path: Path, postgres: Postgres) -> None:
    old = f"sqlite:///{tmp_path / 'old.db'}"
    migrate.upgrade(old, "0007")
    with pytest.raises(MoveError, match="another release"):
        move(old, postgres.made(), lambda said: None)


def test_a_database_that_is_not_there_is_said_without_its_password(here: str, postgres: Postgres) -> None:
    url = postgres.url("nowhere").replace("qplus@", "qplus:hunter2@")
    with pytest.raises(Unreachable, match='database "nowhere" does not exist') as raised:
        move(here, url, lambda said: None)
    assert "hunter2" not in str(raised.value)
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:1/x: "):
        move(here, "postgresql://127.0.0.1:1/x", lambda said: None)
    with pytest.raises(MoveError, match="already"):
        move(here, here, lambda said: None)


def test_a_row_that_cannot_be_there_is_not_shown(here: str, postgres: Postgres, tmp_path: Path) -> None:
    spoilt = users.update().where(users.c.id == 9).values(address="a\0b", password_hash="hunter2")
    engine_of(here).migrating(here, lambda connection: connection.execute(spoilt) and None)
    env = os.environ | {"QPLUS_DATA_DIR": str(tmp_path / "data"), "QPLUS_DATABASE_URL": here}
    command = [sys.executable, "-m", "control", "migrate", postgres.made()]
    ended = subprocess.run(command, env=env, capture_output=True, text=True)
    [told] = ended.stderr.splitlines()
    assert ended.returncode == 1 and told.startswith("error: ") and "0x00" in told
    assert "hunter2" not in ended.stdout + told


@pytest.mark.parametrize("mode", ["require", "disable"])
def test_encryption_is_asked_for_as_postgresql_spells_it(mode: str) -> None:
    for spelled in ("sslmode", "ssl"):
        assert postgresql.driver(f"postgresql://u:p@h/n?{spelled}={mode}") == f"postgresql+asyncpg://u:p@h/n?ssl={mode}"


def test_who_asks_for_encryption_gets_no_connection_without(postgres: Postgres) -> None:
    url = f"{postgres.made()}?sslmode=require"
    with pytest.raises(Unreachable, match="SSL"):
        migrate.upgrade(url)
