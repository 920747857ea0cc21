"""SQLite: one file, one machine."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

import aiosqlite
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine.interfaces import Dialect

from control.refusals import Orphaned
from control.storage.engine import Connection, Row
from control.storage.statements import Statements

FAILURES: tuple[type[Exception], ...] = (sqlite3.Error,)

T = TypeVar("T")


class Sqlite(sqlite3.Connection):
    """SQLite's own settings, which are per connection and cannot be given in a `databases` URL."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # FULL: an answer was given for what was committed, so it must outlive a power cut too.
        for pragma in ("synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000"):
            self.execute(f"PRAGMA {pragma}")


class SqliteConnection(Connection):
    """Each call goes to the connection's thread once: the way there costs more than a short query."""

    def __init__(self, raw: aiosqlite.Connection, statements: Statements) -> None:
        super().__init__()
        self._raw = raw
        self._statements = statements

    async def fetch_all(self, statement: sa.sql.ClauseElement) -> list[Row]:
        try:
            rows = await self._raw.execute_fetchall(*self._statements.sql(statement))
            return cast(list[Row], rows if isinstance(rows, list) else list(rows))
        except sqlite3.IntegrityError as failure:
            if failure.sqlite_errorcode == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
                raise Orphaned from failure
            raise

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """Not the one of `databases`: where that cannot begin or end, on a locked file or a full disk, it takes its
        connection for used from then on and never closes it, and the process does not end."""
        try:
            # A deferred one that reads before it writes fails at once under a second writer, without waiting.
            await self._raw.execute_fetchall("BEGIN IMMEDIATE")
            yield
            await self._raw.commit()
        finally:
            if self._raw.in_transaction:
                await self._raw.rollback()


def options() -> dict[str, Any]:
    return {"factory": Sqlite}


def driver(url: str) -> str:
    return url.replace("sqlite:", "sqlite+aiosqlite:", 1)


def dialect() -> Dialect:
    return sqlite.dialect(paramstyle="qmark")


def lent(raw: aiosqlite.Connection, statements: Statements) -> Connection:
    raw.row_factory = sqlite3.Row
    return SqliteConnection(raw, statements)


async def claim(raw: aiosqlite.Connection, shared_by: str) -> None:
    """The data folder, which its file is in, is locked already; and settings let no nodes share it."""


def migrating(url: str, work: Callable[[sa.Connection], T]) -> T:
    target = sa.make_url(url)
    if not target.database:
        raise ValueError("the database must be an SQLite file: sqlite:////path/to/file.db")
    path = Path(target.database)
    path.parent.mkdir(parents=True, exist_ok=True)
    with _locked(path.with_name(path.name + ".lock")):
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # phones and hashes stand in it
        engine = sa.create_engine(target)
        try:
            with engine.connect() as connection:
                # Kept in the file. Not at every opening: of several connections that switch at once, some are refused.
                connection.exec_driver_sql("PRAGMA journal_mode=WAL")
            with engine.begin() as connection:
                return work(connection)
        finally:
            engine.dispose()


def snapshot(url: str, work: Callable[[sa.Connection], T]) -> T:
    engine = sa.create_engine(url)
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")  # which the driver leaves out before what only reads
            return work(connection)
    finally:
        engine.dispose()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
