"""PostgreSQL: one database for many machines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar, cast

import asyncpg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import asyncpg as dialects
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from control.refusals import Orphaned
from control.storage.engine import Connection, Row, Unreachable
from control.storage.statements import Statements

CONNECT = 3.0  # seconds that the server is given to accept a connection
ANSWER = 5.0  # seconds that a statement may take; what waits for another's transaction included
SAYING_SO = 0.5  # seconds in which the server says so, or it does not answer at all
PROBED = 5  # seconds after which the server asks a silent connection for a sign of life, and between two such questions
CUT_OFF = 20  # seconds without one after which it ends the connection, and gives up what that has locked
WRITING = 7_167_539  # of all who write, in this database: an advisory lock, whose number is its name
SERVING = WRITING + 1  # of the one control that works with it, or of the nodes that share it
MIGRATING = WRITING + 2  # of the one that brings it up to date, beside nodes that may be at work
NODES = 7_167  # of each of those; with a number of its name's


T = TypeVar("T")


class Taken(Exception):
    """Another control works with this database."""


CONFUSED = asyncpg.InternalClientError
"""asyncpg has lost track of what a connection is at, as may happen when the server goes."""

FAILURES: tuple[type[Exception], ...] = (asyncpg.PostgresError, asyncpg.InterfaceError, CONFUSED, OSError, Taken)


class PostgresqlConnection(Connection):
    def __init__(self, raw: asyncpg.Connection, statements: Statements) -> None:
        super().__init__()
        self._raw = raw
        self._statements = statements
        raw.add_termination_listener(lambda _: self.over.set())

    async def fetch_all(self, statement: sa.sql.ClauseElement) -> list[Row]:
        text, values = self._statements.sql(statement)
        try:
            with self._given_up_if_deaf():
                return cast(list[Row], await self._raw.fetch(text, *values))
        except asyncpg.ForeignKeyViolationError as failure:
            raise Orphaned from failure

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """All that write wait in one line, as SQLite has them do: so what one has read holds until it has written, and
        transactions end in the order in which they took their numbers."""
        try:
            if self._raw.is_in_transaction():  # that of one who was cancelled while it was rolled back
                await self._raw.execute("ROLLBACK")
            with self._given_up_if_deaf():
                await self._raw.execute(f"BEGIN; SELECT pg_advisory_xact_lock({WRITING})")
            yield
            with self._given_up_if_deaf():
                await self._raw.execute("COMMIT")
        finally:
            if not self._is_lost() and self._raw.is_in_transaction():
                await self._raw.execute("ROLLBACK")

    @contextmanager
    def _given_up_if_deaf(self) -> Iterator[None]:
        """Or nothing would ever be asked over it again, and nobody open another: asyncpg does not know what it is at,
        or the server has not even said that a statement takes too long."""
        try:
            yield
        except (CONFUSED, TimeoutError):
            if not self._is_lost():
                self._raw.terminate()
            raise

    def _is_lost(self) -> bool:
        try:
            return bool(self._raw.is_closed())
        except asyncpg.InterfaceError:
            return True  # asyncpg's pool has noticed it first, and taken it back


def options() -> dict[str, Any]:
    limits = {"statement_timeout": f"{ANSWER * 1000:.0f}", "idle_in_transaction_session_timeout": "30000"}
    limits["jit"] = "off"  # to compile a statement takes longer than any of ours
    # A machine that lost its power says no goodbye; by default its locks would be held for two hours more.
    limits |= {"tcp_keepalives_idle": f"{PROBED}", "tcp_keepalives_interval": f"{PROBED}"}
    limits |= {"tcp_keepalives_count": f"{CUT_OFF // PROBED - 1}", "tcp_user_timeout": f"{CUT_OFF * 1000}"}
    return {
        "min_size": 0,
        "timeout": CONNECT,
        "command_timeout": ANSWER + SAYING_SO,
        "server_settings": limits | {"application_name": "qplus"},
    }


def driver(url: str) -> str:
    return _named(url, "postgresql+asyncpg")


def dialect() -> Dialect:
    return dialects.PGDialect_asyncpg()  # type: ignore[no-untyped-call]


def lent(raw: asyncpg.Connection, statements: Statements) -> Connection:
    return PostgresqlConnection(raw, statements)


async def claim(raw: asyncpg.Connection, shared_by: str) -> None:
    """For as long as the connection stands. What another control changed is known only to those that follow the log."""
    if shared_by:
        query = f"SELECT pg_try_advisory_lock_shared({SERVING}) AND pg_try_advisory_lock({NODES}, hashtext($1))"
        claimed = await raw.fetchval(query, shared_by)
    else:
        claimed = await raw.fetchval(f"SELECT pg_try_advisory_lock({SERVING})")
    if not claimed:
        raise Taken


def migrating(url: str, work: Callable[[sa.Connection], T]) -> T:
    return asyncio.run(_migrating(url, work))


async def _migrating(url: str, work: Callable[[sa.Connection], T]) -> T:
    engine = create_async_engine(
        _named(url, "postgresql+asyncpg"), poolclass=NullPool, connect_args={"timeout": CONNECT}
    )
    try:
        async with _reached(engine) as connection, connection.begin():
            await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATING})")
            free = await connection.exec_driver_sql(f"SELECT pg_try_advisory_xact_lock_shared({SERVING})")
            if not free.scalar_one():
                raise Unreachable(f"{_shown(engine.url)}: another control works with it, and one at a time can")
            return await connection.run_sync(work)
    finally:
        await engine.dispose()


def snapshot(url: str, work: Callable[[sa.Connection], T]) -> T:
    return asyncio.run(_snapshot(url, work))


async def _snapshot(url: str, work: Callable[[sa.Connection], T]) -> T:
    engine = create_async_engine(
        _named(url, "postgresql+asyncpg"),
        poolclass=NullPool,
        isolation_level="REPEATABLE READ",
        connect_args={"timeout": CONNECT},
    )
    try:
        async with _reached(engine) as connection, connection.begin():
            return await connection.run_sync(work)
    finally:
        await engine.dispose()


@asynccontextmanager
async def _reached(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Raises Unreachable."""
    try:
        connection = await engine.connect()
    except (asyncpg.PostgresError, OSError, TimeoutError, sa.exc.DBAPIError) as failure:
        why = getattr(failure, "orig", None) or failure
        said = str(why).splitlines()[0] if str(why) else type(why).__name__
        raise Unreachable(f"{_shown(engine.url)}: {said}") from None
    try:
        yield connection
    finally:
        await connection.close()


def _shown(url: sa.URL) -> str:
    return url.set(password=None, drivername="postgresql").render_as_string()


def _named(url: str, name: str) -> str:
    parts = sa.make_url(url)
    # PostgreSQL's own name for it; asyncpg's is `ssl`, and `databases` would go without encryption and say nothing.
    query = {"ssl" if key == "sslmode" else key: value for key, value in parts.query.items()}
    return parts.set(drivername=name, query=query).render_as_string(hide_password=False)
