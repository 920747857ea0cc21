"""How much one room may have. The operator sets it for all rooms, and another for one user's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa

from control.refusals import BadParameter, NoSuchAccount
from control.storage.changes import Change, Changed, Changes
from control.storage.database import Row, Store, insert
from control.storage.tables import LAST_USER_ID, rooms, user_quotas, users

HIGHEST = 2**31 - 1
PREFIX = "quota_"


class Quota(NamedTuple):
    """0: any number."""

    viewers: int = 0
    """At a time, at all nodes."""
    kbps: int = 0
    """Of the stream that is pushed, kilobits a second."""
    height: int = 0
    """Of its picture; the shorter side, which is the width of an upright one."""
    hours: int = 0
    """On air, within 24 hours."""


NO_QUOTA = Quota()


def usual(limits: Mapping[str, int]) -> Quota:
    """Of all rooms, by settings."""
    return Quota(**{name: limits.get(name, 0) for name in Quota._fields})


COLUMNS = [user_quotas.c[name].label(PREFIX + name) for name in Quota._fields]
"""For a query that joins them to rooms' owners."""


def read(row: Row, usual: Quota) -> Quota:
    """`row` has COLUMNS; what is NULL is as for all rooms."""
    own = {name: row[PREFIX + name] for name in Quota._fields}
    return usual._replace(**{name: value for name, value in own.items() if value is not None})


class Quotas:
    """`usual`: of a room whose owner has none of their own."""

    def __init__(self, store: Store, changes: Changes, usual: Quota) -> None:
        self._store = store
        self._changes = changes
        self.usual = usual

    async def own(self, user_id: int) -> dict[str, int | None]:
        """What is set for this user; None where it is as for all."""
        mine = sa.select(*COLUMNS).where(user_quotas.c.user_id == user_id)
        row = await self._store.fetch_one(mine)
        return {name: row[PREFIX + name] if row else None for name in Quota._fields}

    async def set(self, user_id: int, values: Mapping[str, int | None]) -> None:
        """Those that are named; None: as for all. Holds at once, everywhere. Raises BadParameter and NoSuchAccount."""
        for name, value in values.items():
            if name not in Quota._fields or (value is not None and not 0 <= value <= HIGHEST):
                raise BadParameter(name)
        if not 0 < user_id <= LAST_USER_ID:
            raise NoSuchAccount
        columns: dict[str, Any] = {name: sa.literal(value, sa.Integer) for name, value in values.items()}
        one = sa.select(users.c.id, *(value.label(name) for name, value in columns.items())).where(
            users.c.id == user_id
        )
        row = insert(user_quotas).from_select(("user_id", *columns), one)
        kept = {name: row.excluded[name] for name in columns} or {"user_id": row.excluded.user_id}
        write = row.on_conflict_do_update(index_elements=["user_id"], set_=kept).returning(user_quotas.c.user_id)
        async with self._changes.writing() as (connection, note):
            if await connection.fetch_one(write) is None:
                raise NoSuchAccount
            mine = await connection.fetch_one(sa.select(rooms.c.id).where(rooms.c.owner_id == user_id))
            if mine is not None:
                note(Change(Changed.QUOTA, mine["id"], user_id))
