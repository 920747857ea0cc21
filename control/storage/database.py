"""Connections, and the only place that knows a dialect.

`databases` opens a connection for each task, which on SQLite means a file and a thread for each request. So a few
connections are opened once and lent: one writer, whose transactions queue in the process instead of failing in the
file, and some readers, which WAL keeps apart from it.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiosqlite
import databases
import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from control.clock import Clock
from control.refusals import Orphaned
from control.storage.statements import Statements

READERS = 3
PATIENCE = 5.0  # seconds that a connection is waited for: while another program locks the file, a queue must not grow

Row = sqlite3.Row


class Sqlite(sqlite3.Connection):
    """SQLite's own settings, which are per connection and cannot be given in a `databases` URL."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # FULL: an answer was given for what was committed, so it must outlive a power cut too.
        for pragma in ("synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000"):
            self.execute(f"PRAGMA {pragma}")


class Connection:
    """One that is lent. Each call goes to the connection's thread once: the way there costs more than a short query."""

    def __init__(self, raw: aiosqlite.Connection, statements: Statements) -> None:
        self._raw = raw
        self._statements = statements

    async def fetch_all(self, statement: sa.sql.ClauseElement) -> list[Row]:
        """Raises Orphaned for a row of a user or a room that is not there."""
        try:
            return list(await self._raw.execute_fetchall(*self._statements.sql(statement)))
        except sqlite3.IntegrityError as failure:
            if failure.sqlite_errorcode == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
                raise Orphaned from failure
            raise

    async def fetch_one(self, statement: sa.sql.ClauseElement) -> Row | None:
        return next(iter(await self.fetch_all(statement)), None)

    async def execute(self, statement: sa.sql.ClauseElement) -> None:
        await self.fetch_all(statement)

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


class Pool(asyncio.Queue[Connection]):
    """First come, first served: a plain queue lets a newcomer overtake a waiter that has just been woken."""

    def __init__(self) -> None:
        super().__init__()
        self._line = asyncio.Lock()

    async def get(self) -> Connection:
        async with self._line:
            return await super().get()


class Store:
    """Lends connections: `reading()` for queries, `writing()` for one transaction."""

    def __init__(self, database: databases.Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self.statements = Statements(sqlite.dialect(paramstyle="qmark"))
        self._writers = Pool()
        self._readers = Pool()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Connection]:
        async with self._lent(self._readers) as connection:
            yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Connection]:
        """One transaction: committed at the end of the block, rolled back by an exception."""
        async with self._lent(self._writers) as connection, connection.transaction():
            yield connection

    async def fetch_one(self, query: sa.sql.ClauseElement) -> Row | None:
        async with self.reading() as connection:
            return await connection.fetch_one(query)

    async def fetch_all(self, query: sa.sql.ClauseElement) -> list[Row]:
        async with self.reading() as connection:
            return await connection.fetch_all(query)

    async def write(self, *statements: sa.sql.ClauseElement) -> None:
        async with self.writing() as connection:
            for statement in statements:
                await connection.execute(statement)

    async def refuses_writes(self) -> str:
        """What comes of a write; "" where it is done. A row that is always there is written as it is."""
        version = sa.table("alembic_version", sa.column("version_num"))
        try:
            await self.write(version.update().values(version_num=version.c.version_num))
        except (TimeoutError, sqlite3.Error) as failure:
            return type(failure).__name__
        return ""

    @asynccontextmanager
    async def _lent(self, pool: Pool) -> AsyncIterator[Connection]:
        """Raises TimeoutError when none came free in time."""
        async with self._clock.within(PATIENCE):
            connection = await pool.get()
        try:
            yield connection
        finally:
            pool.put_nowait(connection)

    async def hold(self, pool: Pool, closing: asyncio.Event) -> None:
        """Keeps one connection open. In a task of its own: `databases` ties a connection to the task that opened it."""
        async with self._database.connection() as connection:
            raw: aiosqlite.Connection = connection.raw_connection
            raw.row_factory = Row
            pool.put_nowait(Connection(raw, self.statements))
            await closing.wait()

    @property
    def pools(self) -> Iterable[Pool]:
        return (self._writers, *[self._readers] * READERS)


@asynccontextmanager
async def opened(url: str, clock: Clock) -> AsyncIterator[Store]:
    """A store with its connections open. A store must be left before its event loop ends."""
    closing = asyncio.Event()
    async with databases.Database(_driver(url), factory=Sqlite) as database, asyncio.TaskGroup() as holders:
        store = Store(database, clock)
        for pool in store.pools:
            holders.create_task(store.hold(pool, closing))
        try:
            yield store
        finally:
            closing.set()


def _driver(url: str) -> str:
    return url.replace("sqlite:", "sqlite+aiosqlite:", 1)


def insert(table: sa.Table) -> sqlite.Insert:
    """An INSERT that knows ON CONFLICT, which the standard does not."""
    return sqlite.insert(table)


def numbered(values: Sequence[int] | Sequence[str]) -> sa.TableValuedAlias:
    """A list as rows (`key`, `value`): position and what stands there. One bound value, however long the list."""
    return sa.func.json_each(orjson.dumps(values).decode()).table_valued("key", "value", name="numbered")


def listed(rows: Sequence[Sequence[Any]], names: Sequence[str]) -> sa.Select[Any]:
    """Many rows in one bound value, to insert in one statement."""
    each = sa.func.json_each(orjson.dumps(rows).decode()).table_valued("value", name="listed")
    columns = [sa.func.json_extract(each.c.value, f"$[{position}]").label(name) for position, name in enumerate(names)]
    return sa.select(*columns).where(sa.true())  # SQLite cannot tell ON CONFLICT from a join's ON without a WHERE


@contextmanager
def migrating(url: str) -> Iterator[sa.Connection]:
    """A plain connection for the migrations, with every other migrator of this database waiting outside."""
    target = sa.make_url(url)
    if target.get_backend_name() != "sqlite" or not target.database:
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
                yield connection
        finally:
            engine.dispose()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
