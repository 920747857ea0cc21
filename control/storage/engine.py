"""What a store wants of a database: connections that it lends, and a plain one to migrate it."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import Dialect

from control.storage.statements import Statements

T = TypeVar("T")


class Unreachable(Exception):
    """There is no such database, it is down, or it does not let us in. The message tells a person which, with no
    password in it."""


class Row(Protocol):
    """Of an answer. By name or by position; as a sequence, its values."""

    def __getitem__(self, key: str | int, /) -> Any: ...

    def __iter__(self) -> Iterator[Any]: ...

    def keys(self) -> Any: ...


class Connection(ABC):
    """One that is lent."""

    def __init__(self) -> None:
        self.over = asyncio.Event()
        """Set once it is to be lent no more: it is lost, or the store is left."""

    @abstractmethod
    async def fetch_all(self, statement: sa.sql.ClauseElement) -> list[Row]:
        """Raises Orphaned for a row of a user or a room that is not there."""

    async def fetch_one(self, statement: sa.sql.ClauseElement) -> Row | None:
        return next(iter(await self.fetch_all(statement)), None)

    async def execute(self, statement: sa.sql.ClauseElement) -> None:
        await self.fetch_all(statement)

    @abstractmethod
    def transaction(self) -> AbstractAsyncContextManager[None]:
        """One that writes: no other is begun before it has ended, in any process."""


class Engine(Protocol):
    """One kind of database; a module of this package."""

    FAILURES: tuple[type[Exception], ...]
    """What a statement raises where the database cannot do it."""

    def options(self) -> dict[str, Any]:
        """For `databases`."""

    def driver(self, url: str) -> str:
        """The URL as `databases` wants it."""

    def dialect(self) -> Dialect: ...

    def lent(self, raw: Any, statements: Statements) -> Connection: ...

    async def claim(self, raw: Any, shared_by: str) -> None:
        """Makes sure that no other control works with the database; or where nodes share it, none but those, and none
        of this node's name. Raises one of FAILURES."""

    def migrating(self, url: str, work: Callable[[sa.Connection], T]) -> T:
        """Does work over a plain connection, in one transaction, with every other migrator of this database kept out.
        Blocks. Raises Unreachable."""

    def snapshot(self, url: str, work: Callable[[sa.Connection], T]) -> T:
        """Does work that only reads, and sees one moment, whoever writes meanwhile. Blocks. Raises Unreachable."""


def engine_of(url: str) -> Engine:
    """Raises ValueError for a URL of another kind, or for what is none."""
    try:
        backend = sa.make_url(url).get_backend_name()
    except (ValueError, sa.exc.ArgumentError):
        backend = ""  # what they say of it may have its password
    if backend == "sqlite":
        from control.storage import sqlite as module
    elif backend == "postgresql":
        from control.storage import postgresql as module  # type: ignore[no-redef]  # costs what SQLite need not pay
    else:
        raise ValueError("the database must be sqlite:////path/to/file.db or postgresql://user:password@host/name")
    return module
