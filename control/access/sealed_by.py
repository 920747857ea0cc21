"""Which key seals rooms' passwords, as the database has them."""

from __future__ import annotations

import sqlalchemy as sa

from control.access.vault import COLUMNS, MARK
from control.storage.engine import engine_of
from control.storage.tables import rooms


def sealed_by_others(url: str, name: str) -> int:
    """How many rooms have a password that another key than `name` seals. Blocks. Raises Unreachable."""
    other = sa.or_(*(rooms.c[column].not_like(f"{MARK}{name}{MARK}%") for column in COLUMNS))
    count = sa.select(sa.func.count()).select_from(rooms).where(other)
    number: int = engine_of(url).snapshot(url, lambda connection: connection.execute(count).scalar_one())
    return number
