"""Connections, and who lends them.

`databases` opens a connection for each task, which on SQLite means a file and a thread for each request. So a few
connections are opened once and lent: one writer, whose transactions queue in the process, and some readers, which are
kept apart from it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress

import databases
import sqlalchemy as sa
import structlog

from control.clock import Clock
from control.storage.engine import Connection, Engine, Row, engine_of
from control.storage.sql import insert, listed, numbered, numbered_texts
from control.storage.statements import Statements

__all__ = ["Connection", "Row", "Store", "insert", "listed", "numbered", "numbered_texts", "opened"]

READERS = 3
PATIENCE = 5.0  # seconds that a connection is waited for: while another program locks the file, a queue must not grow
AGAIN = 0.5  # seconds between two tries to reach a database that is gone

log = structlog.get_logger()


class Gone(ConnectionError):
    """The database cannot be reached."""


class Pool(asyncio.Queue[Connection]):
    """First come, first served: a plain queue lets a newcomer overtake a waiter that has just been woken."""

    def __init__(self) -> None:
        super().__init__()
        self._line = asyncio.Lock()
        self.reached = 0
        """Connections that stand, lent or not."""

    async def get(self) -> Connection:
        async with self._line:
            return await super().get()


class Store:
    """Lends connections: `reading()` for queries, `writing()` for one transaction."""

    def __init__(self, database: databases.Database, engine: Engine, clock: Clock) -> None:
        self._database = database
        self._engine = engine
        self._clock = clock
        self.statements = Statements(engine.dialect())
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
        except (TimeoutError, Gone, *self._engine.FAILURES) as failure:  # type: ignore[misc]
            return type(failure).__name__
        return ""

    @asynccontextmanager
    async def _lent(self, pool: Pool) -> AsyncIterator[Connection]:
        """Raises TimeoutError when none came free in time, and Gone, at once, where there can be none."""
        if not pool.reached:
            raise Gone
        async with self._clock.within(PATIENCE):
            connection = await self._living(pool)
        try:
            yield connection
        finally:
            pool.put_nowait(connection)

    async def _living(self, pool: Pool) -> Connection:
        while (connection := await pool.get()).is_lost:
            if pool.empty():
                raise Gone  # its holder puts another one here
        return connection

    async def hold(self, pool: Pool, closing: asyncio.Event, tried: asyncio.Event) -> None:
        """Keeps one connection open, and opens another when it is lost. In a task of its own: `databases` ties a
        connection to the task that opened it."""
        while not closing.is_set():
            try:
                await self._hold_one(pool, closing, tried)
            except self._engine.FAILURES as failure:
                tried.set()
                log.warning("database not reached", failure=type(failure).__name__)
                await self._closes(closing)

    async def _hold_one(self, pool: Pool, closing: asyncio.Event, tried: asyncio.Event) -> None:
        async with self._database.connection() as held:
            if pool is self._writers:
                await self._engine.claim(held.raw_connection)
            connection = self._engine.lent(held.raw_connection, self.statements)
            pool.put_nowait(connection)
            pool.reached += 1
            tried.set()
            try:
                while not connection.is_lost and not await self._closes(closing):
                    pass
            finally:
                pool.reached -= 1

    async def _closes(self, closing: asyncio.Event) -> bool:
        """Within AGAIN."""
        with suppress(TimeoutError):
            async with self._clock.within(AGAIN):
                await closing.wait()
        return closing.is_set()

    @property
    def pools(self) -> Iterable[Pool]:
        return (self._writers, *[self._readers] * READERS)


@asynccontextmanager
async def opened(url: str, clock: Clock) -> AsyncIterator[Store]:
    """A store with its connections open. A store must be left before its event loop ends."""
    closing = asyncio.Event()
    engine = engine_of(url)
    database = databases.Database(engine.driver(url), **engine.options())
    async with database, asyncio.TaskGroup() as holders:
        store, tried = Store(database, engine, clock), list[asyncio.Event]()
        for pool in store.pools:
            tried.append(asyncio.Event())
            holders.create_task(store.hold(pool, closing, tried[-1]))
        for each in tried:
            await each.wait()
        try:
            yield store
        finally:
            closing.set()
