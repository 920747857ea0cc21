"""PostgreSQL: one database for many machines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar, cast

import asyncpg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import asyncpg as dialects
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from control.refusals import Orphaned
from control.storage.engine import Connection, Row, Unreachable
from control.storage.statements import Statements

CONNECT = 3.0  # seconds that the server is given to accept a connection
ANSWER = 5.0  # seconds that a statement may take; what waits for another's transaction included
WRITING = 7_167_539  # of all who write, in this database: an advisory lock, whose number is its name
MIGRATING = WRITING + 1
FAILURES: tuple[type[Exception], ...] = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError)

T = TypeVar("T")


class PostgresqlConnection(Connection):
    def __init__(self, raw: asyncpg.Connection, statements: Statements) -> None:
        self._raw = raw
        self._statements = statements

    async def fetch_all(self, statement: sa.sql.ClauseElement) -> list[Row]:
        text, values = self._statements.sql(statement)
        try:
            return cast(list[Row], await self._raw.fetch(text, *values))
        except asyncpg.ForeignKeyViolationError as failure:
            raise Orphaned from failure

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """All that write wait in one line, as SQLite has them do: so what one has read holds until it has written, and
        transactions end in the order in which they took their numbers."""
        try:
            await self._raw.execute(f"BEGIN; SELECT pg_advisory_xact_lock({WRITING})")
            yield
            await self._raw.execute("COMMIT")
        finally:
            if not self.is_lost and self._raw.is_in_transaction():
                await self._raw.execute("ROLLBACK")

    @property
    def is_lost(self) -> bool:
        try:
            return bool(self._raw.is_closed())
        except asyncpg.InterfaceError:
            return True  # asyncpg's pool has noticed it first, and taken it back


def options() -> dict[str, Any]:
    limits = {"statement_timeout": f"{ANSWER * 1000:.0f}", "idle_in_transaction_session_timeout": "30000"}
    limits["jit"] = "off"  # to compile a statement takes longer than any of ours
    return {
        "min_size": 0,
        "timeout": CONNECT,
        "command_timeout": ANSWER,
        "server_settings": limits | {"application_name": "qplus"},
    }


def driver(url: str) -> str:
    return _named(url, "postgresql+asyncpg")


def dialect() -> Dialect:
    return dialects.PGDialect_asyncpg()  # type: ignore[no-untyped-call]


def lent(raw: asyncpg.Connection, statements: Statements) -> Connection:
    return PostgresqlConnection(raw, statements)


def migrating(url: str, work: Callable[[sa.Connection], T]) -> T:
    return asyncio.run(_migrating(url, work))


async def _migrating(url: str, work: Callable[[sa.Connection], T]) -> T:
    engine = create_async_engine(
        _named(url, "postgresql+asyncpg"), poolclass=NullPool, connect_args={"timeout": CONNECT}
    )
    try:
        await _require_reachable(engine)
        async with engine.begin() as connection:
            await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATING})")
            return await connection.run_sync(work)
    finally:
        await engine.dispose()


async def _require_reachable(engine: AsyncEngine) -> None:
    """Raises Unreachable."""
    try:
        async with engine.connect():
            pass
    except (asyncpg.PostgresError, OSError, TimeoutError, sa.exc.DBAPIError) as failure:
        where = engine.url.set(password=None, drivername="postgresql").render_as_string()
        why = getattr(failure, "orig", None) or failure
        raise Unreachable(f"{where}: {str(why).splitlines()[0] if str(why) else type(why).__name__}") from None


def _named(url: str, name: str) -> str:
    return sa.make_url(url).set(drivername=name).render_as_string(hide_password=False)
