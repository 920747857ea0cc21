"""What tables are made of."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def of_user(**options: Any) -> sa.Column[int]:
    return sa.Column("user_id", sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False, **options)


def of_room(**options: Any) -> sa.Column[int]:
    return sa.Column("room_id", sa.ForeignKey("rooms.id", ondelete="CASCADE"), nullable=False, **options)
