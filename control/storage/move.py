"""Moves all data from one database to another, an empty one, and compares what has come there with what was sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from control.storage import migrate
from control.storage.engine import engine_of
from control.storage.tables import metadata

AT_A_TIME = 1000  # rows
NUMBERED = [table for table in metadata.sorted_tables if "id" in table.c]

GIVEN = sa.table("sqlite_sequence", sa.column("name"), sa.column("seq"))
"""SQLite's last numbers, of tables whose numbers are never used again."""

Values = Mapping[str, Any]


class MoveError(Exception):
    """Nothing was moved; the message tells a person why."""


def move(source: str, target: str, said: Callable[[str], None]) -> int:
    """How many rows. Blocks; nobody else may write to either meanwhile. All comes or nothing does. `said` hears of each
    table. Raises MoveError."""
    engine_of(target)
    if sa.make_url(source) == sa.make_url(target):
        raise MoveError("that is where the data is already")
    migrate.upgrade(target)
    return engine_of(source).migrating(
        source, lambda here: engine_of(target).migrating(target, lambda there: _moved(here, there, said))
    )


def _moved(here: sa.Connection, there: sa.Connection, said: Callable[[str], None]) -> int:
    _require_same_release(here, there)
    if full := [table.name for table in metadata.sorted_tables if _count(there, table)]:
        raise MoveError(f"the database there has rows already, in {', '.join(full)}")
    total = 0
    for table in metadata.sorted_tables:  # each after those that it refers to
        for rows in _batches(here, table):
            there.execute(table.insert(), rows)
        _compare(here, there, table)
        count = _count(there, table)
        said(f"{table.name}: {count} rows, all the same")
        total += count
    _go_on_numbering(here, there)
    return total


def filled(here: sa.Connection, target: str) -> int:
    """Likewise, of what one connection sees, into a database of this release. Raises MoveError."""
    return engine_of(target).migrating(target, lambda there: _moved(here, there, lambda said: None))


def _require_same_release(here: sa.Connection, there: sa.Connection) -> None:
    revision = sa.select(sa.table("alembic_version", sa.column("version_num")).c.version_num)
    if here.execute(revision).scalars().all() != there.execute(revision).scalars().all():
        raise MoveError("the data here is of another release: start this one once with it first")


def _batches(connection: sa.Connection, table: sa.Table) -> Iterator[list[dict[str, Any]]]:
    """In the order of their keys."""
    rows = connection.execution_options(yield_per=AT_A_TIME).execute(sa.select(table).order_by(*table.primary_key))
    for part in rows.mappings().partitions():
        yield [dict(row) for row in part]


def _compare(here: sa.Connection, there: sa.Connection, table: sa.Table) -> None:
    """Raises MoveError. By key: databases sort texts in ways of their own."""
    key = [column.name for column in table.primary_key]
    for rows in _batches(here, table):
        found = _by_key(there, table, rows, key)
        if any(found.get(_key(row, key)) != row for row in rows):
            raise MoveError(f"{table.name}: a row came out as another than it went in")
    if _count(here, table) != _count(there, table):
        raise MoveError(f"{table.name}: there are not as many rows as here")


def _by_key(
    connection: sa.Connection, table: sa.Table, rows: Sequence[Values], key: Sequence[str]
) -> dict[tuple[Any, ...], dict[str, Any]]:
    wanted = sa.tuple_(*(table.c[name] for name in key)).in_([_key(row, key) for row in rows])
    found = [dict(row) for row in connection.execute(sa.select(table).where(wanted)).mappings()]
    return {_key(row, key): row for row in found}


def _key(row: Values, names: Sequence[str]) -> tuple[Any, ...]:
    return tuple(row[name] for name in names)


def _count(connection: sa.Connection, table: sa.Table) -> int:
    return connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


def _go_on_numbering(here: sa.Connection, there: sa.Connection) -> None:
    """A number is never used again, also not the last, whose row was deleted."""
    for table in NUMBERED:
        last = _last_number(here, table)
        if last and there.dialect.name == "postgresql":
            sequence = sa.func.pg_get_serial_sequence(table.name, "id")
            there.execute(sa.select(sa.func.setval(sequence, last)))
        elif last and table.dialect_options["sqlite"]["autoincrement"]:
            there.execute(GIVEN.delete().where(GIVEN.c.name == table.name))
            there.execute(GIVEN.insert().values(name=table.name, seq=last))


def _last_number(here: sa.Connection, table: sa.Table) -> int:
    if here.dialect.name == "postgresql":
        sequence = here.execute(sa.select(sa.func.pg_get_serial_sequence(table.name, "id"))).scalar_one()
        given, called = here.exec_driver_sql(f"SELECT last_value, is_called FROM {sequence}").one()
        return int(given) if called else 0
    if (last := here.execute(sa.select(GIVEN.c.seq).where(GIVEN.c.name == table.name)).scalar()) is not None:
        return int(last)
    return here.execute(sa.select(sa.func.max(table.c.id))).scalar() or 0
