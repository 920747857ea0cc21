"""Which of many rows can be written."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from control.storage.tables import rooms


def in_rooms(rows: sa.Select[Any]) -> sa.Select[Any]:
    """Those of the rows to write whose room is there: of many that are written together, none waits for one that was
    deleted."""
    return rows.where(rows.selected_columns["room_id"].in_(sa.select(rooms.c.id)))
