"""What changed, numbered in the order of its commits, for all nodes: each follows it and acts on what others did.

An entry is written in the transaction that makes the change. Whoever writes waits in one line (`transaction` of
`engine`), so numbers are seen in their order and none turns up below one that has been read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, NamedTuple

import sqlalchemy as sa
import structlog

from control.clock import Clock
from control.ops import metrics
from control.ops.loops import once
from control.storage.database import Row, Store, insert, listed
from control.storage.tables import log as table

EVERY = 0.3  # seconds between two looks for what others did
KEPT = 600.0  # seconds: a node that was cut off for longer begins anew
MOST = 200_000  # entries that are kept, however young
AT_A_TIME = 1000  # entries that are read before others have their turn
STARTED = "started"
COLUMNS = ("at", "node", "what", "room_id", "user_id", "details")

log = structlog.get_logger()


class Entry(NamedTuple):
    node: str
    """Whose deed it was."""
    what: str
    room_id: int
    """0 for none; likewise the user."""
    user_id: int
    details: str
    """As JSON, where it has more to say; else ""."""


Handler = Callable[[Entry], None]


class Log:
    """`node` names who writes here."""

    def __init__(self, store: Store, node: str, clock: Clock) -> None:
        self._store = store
        self._node = node
        self._clock = clock
        self._handlers: defaultdict[str, list[Handler]] = defaultdict(list)
        self._behind: list[Callable[[], Awaitable[None]]] = []
        self._position = 0
        """Number of the last entry that was read. It is never trimmed before it has been followed by others."""
        self._openings = 0
        """Of the database, when it was."""

    def on(self, what: str, handler: Handler) -> None:
        """Has it told of each such entry of another node."""
        self._handlers[what].append(handler)

    def when_behind(self, begin_anew: Callable[[], Awaitable[None]]) -> None:
        """Has it called when entries were missed: nothing that lies in memory is known to hold any more. Entries from
        then on are told once it has returned."""
        self._behind.append(begin_anew)

    def entries(self, entries: Iterable[tuple[str, int, int, str]]) -> sa.sql.ClauseElement:
        """What writes them, in their order: what, room, user, details. At least one."""
        now = self._clock.now()
        rows = [[now, self._node, *entry] for entry in entries]
        return insert(table).from_select(COLUMNS, listed(rows, table.c[COLUMNS]))

    async def begin(self) -> None:
        """To be called before anything is read that others may change; what they do from now on is followed."""
        async with self._store.writing() as connection:
            self._openings = self._store.openings
            await connection.execute(self.entries([(STARTED, 0, 0, "")]))
            self._position = _number(await connection.fetch_one(NEWEST))

    async def follow(self) -> None:
        """Tells handlers what others did since this was last called."""
        while True:
            rows = await self._store.fetch_all(
                sa.select(table).where(table.c.id >= self._position).order_by(table.c.id).limit(AT_A_TIME)
            )
            if not rows or rows[0]["id"] != self._position or self._openings != self._store.openings:
                return await self._begin_anew()
            for row in rows[1:]:
                self._position = row["id"]  # so that one which is not understood is in no other's way
                if row["node"] != self._node:
                    self._hear(Entry(*(row[name] for name in Entry._fields)))
            metrics.log_position.set(self._position)
            if len(rows) < AT_A_TIME:
                return

    def _hear(self, entry: Entry) -> None:
        for handler in self._handlers.get(entry.what, ()):
            handler(entry)

    async def _begin_anew(self) -> None:
        """The entry that was read last has been trimmed, and others after it; or the database was gone."""
        log.warning("fell behind the log", position=self._position)
        self._openings = self._store.openings
        self._position = _number(await self._store.fetch_one(NEWEST))
        for begin_anew in self._behind:
            await once("begin anew", begin_anew)

    async def trim(self) -> None:
        """Deletes what is old, or too much; never the newest, which tells where the log stands."""
        newest = NEWEST.scalar_subquery()
        outdated = sa.or_(table.c.at < self._clock.now() - KEPT, table.c.id <= newest - MOST)
        await self._store.write(table.delete().where(table.c.id < newest, outdated))


NEWEST: sa.Select[Any] = sa.select(sa.func.max(table.c.id))


def _number(row: Row | None) -> int:
    return int(row[0] or 0) if row else 0
