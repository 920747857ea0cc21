"""Connections, and who lends them.

`databases` opens a connection for each task, which on SQLite means a file and a thread for each request. So a few
connections are opened once and lent: one writer, whose transactions queue in the process, and some readers, which are
kept apart from it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from functools import cache, partial
from time import perf_counter

import databases
import sqlalchemy as sa
import structlog
from sqlalchemy.engine.interfaces import Dialect

from control.clock import Clock
from control.ops import metrics
from control.ops.loops import once
from control.storage.engine import Connection, Engine, Row, Unreachable, engine_of
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
    """First come, first served: a plain queue lets a newcomer overtake a waiter that has just been woken.

    While none stands, one that is over stays in it or is lent: who has waited for one is told by that.
    """

    def __init__(self) -> None:
        super().__init__()
        self._line = asyncio.Lock()
        self.held = set[Connection]()
        """Lent or not."""

    @property
    def stands(self) -> bool:
        return any(not connection.over.is_set() for connection in self.held)

    async def get(self) -> Connection:
        """Raises Gone where none stands."""
        async with self._line:
            while (connection := await super().get()).over.is_set():
                if not self.stands:
                    self.put_nowait(connection)
                    raise Gone
            return connection


@cache
def statements_of(dialect: Callable[[], Dialect]) -> Statements:
    """Of all stores that a process opens: tests open thousands, one after the other."""
    return Statements(dialect())


class Store:
    """Lends connections: `reading()` for queries, `writing()` for one transaction."""

    def __init__(self, *, database: databases.Database, engine: Engine, clock: Clock, shared_by: str) -> None:
        self._database = database
        self._shared_by = shared_by
        self._engine = engine
        self._clock = clock
        self.statements = statements_of(engine.dialect)
        self._writers = Pool()
        self._readers = Pool()
        self._closing = asyncio.Event()
        self.openings = 0
        """How often a connection that writes was made. A database that was away may have lost what it had said was
        written, or be another one that follows behind."""

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

    async def while_reached(self, work: Callable[[], Awaitable[None]]) -> None:
        """Does what is done again and again; while the database is gone, nothing. Who holds the connections tells."""
        with suppress(*self.failures):
            await work()

    @property
    def failures(self) -> tuple[type[Exception], ...]:
        """What a statement raises where the database cannot do it, or cannot be reached."""
        return (TimeoutError, Gone, *self._engine.FAILURES)

    async def refuses_writes(self) -> str:
        """What comes of a write; "" where it is done. A row that is always there is written as it is."""
        version = sa.table("alembic_version", sa.column("version_num"))
        try:
            await self.write(version.update().values(version_num=version.c.version_num))
        except self.failures as failure:
            return type(failure).__name__
        return ""

    @asynccontextmanager
    async def _lent(self, pool: Pool) -> AsyncIterator[Connection]:
        """Raises TimeoutError when none came free in time, and Gone, at once, where there can be none."""
        if not pool.stands:
            raise Gone
        began = perf_counter()
        async with self._clock.within(PATIENCE):
            connection = await pool.get()
        lent = perf_counter()
        metrics.database_seconds.observe("waiting", lent - began)
        try:
            yield connection
        finally:
            metrics.database_seconds.since("writing" if pool is self._writers else "reading", lent)
            pool.put_nowait(connection)

    async def claimed(self) -> None:
        """Returns once this control may write. Raises Unreachable where another has what it claims, and keeps it: the
        one before may have ended just now."""
        for _ in range(round(PATIENCE / AGAIN)):
            if self._writers.stands:
                return
            await self._clock.sleep(AGAIN)
        raise Unreachable("the database: another control works with it, or another node of this name")

    async def hold(self, pool: Pool, tried: asyncio.Event) -> None:
        """Keeps one connection open, and opens another when it is lost, until the store is left. In a task of its own:
        `databases` ties a connection to the task that opened it."""
        while not self._closing.is_set():
            # Whatever happens to it: without its holders a control has no database any more.
            await once("database", partial(self._hold_one, pool, tried))
            with suppress(TimeoutError):
                async with self._clock.within(AGAIN):
                    await self._closing.wait()

    async def _hold_one(self, pool: Pool, tried: asyncio.Event) -> None:
        try:
            await self._lend(pool, tried)
        except self._engine.FAILURES as failure:
            log.warning("database not reached", failure=type(failure).__name__)
        finally:
            tried.set()

    async def _lend(self, pool: Pool, tried: asyncio.Event) -> None:
        async with self._database.connection() as held:
            if pool is self._writers:
                await self._engine.claim(held.raw_connection, self._shared_by)
            connection = self._engine.lent(held.raw_connection, self.statements)
            self.openings += pool is self._writers
            pool.held.add(connection)
            pool.put_nowait(connection)
            tried.set()
            try:
                if not self._closing.is_set():
                    await connection.over.wait()
            finally:
                pool.held.remove(connection)

    def close(self) -> None:
        """Lets every holder end."""
        self._closing.set()
        for pool in self.pools:
            for connection in pool.held:
                connection.over.set()

    @property
    def pools(self) -> Iterable[Pool]:
        return (self._writers, *[self._readers] * READERS)


@asynccontextmanager
async def opened(url: str, clock: Clock, shared_by: str = "") -> AsyncIterator[Store]:
    """A store with its connections open. A store must be left before its event loop ends. `shared_by`: this node's name
    where several nodes work with the database; "" where one does. Raises Unreachable."""
    engine = engine_of(url)
    database = databases.Database(engine.driver(url), **engine.options())
    async with database, asyncio.TaskGroup() as holders:
        store = Store(database=database, engine=engine, clock=clock, shared_by=shared_by)
        try:
            tried = [(pool, asyncio.Event()) for pool in store.pools]
            for pool, event in tried:
                holders.create_task(store.hold(pool, event))
            for _, event in tried:
                await event.wait()
            await store.claimed()
            yield store
        finally:
            store.close()
