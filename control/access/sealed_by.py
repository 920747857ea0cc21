"""Which key seals rooms' passwords and webhooks' secrets, as the database has them."""

from __future__ import annotations

import sqlalchemy as sa

from control.access.vault import COLUMNS, MARK
from control.storage.engine import engine_of
from control.storage.tables import rooms, webhooks


def sealed_by_others(url: str, name: str) -> int:
    """How many rooms, and webhooks, have something that another key than `name` seals. Blocks. Raises Unreachable."""
    current = f"{MARK}{name}{MARK}%"
    other = sa.or_(*(rooms.c[column].not_like(current) for column in COLUMNS))
    in_rooms = sa.select(sa.func.count()).select_from(rooms).where(other)
    in_webhooks = sa.select(sa.func.count()).select_from(webhooks).where(webhooks.c.secret.not_like(current))
    both = sa.select(in_rooms.scalar_subquery() + in_webhooks.scalar_subquery())
    number: int = engine_of(url).snapshot(url, lambda connection: connection.execute(both).scalar_one())
    return number
