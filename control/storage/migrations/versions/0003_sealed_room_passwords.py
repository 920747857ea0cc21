"""sealed room passwords"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op

revision = "0003"
down_revision = "0002"

COLUMNS = ("anchor_password", "assist_password", "user_password")


def upgrade() -> None:
    connection = op.get_bind()
    rooms = sa.table("rooms", sa.column("id"), sa.column("owner_id"), *map(sa.column, COLUMNS))
    rows = connection.execute(sa.select(rooms)).mappings().all()
    if not rows:
        return
    seal = context.config.attributes["seal"]
    connection.exec_driver_sql("PRAGMA secure_delete=ON")  # what stood there is overwritten, not only given free
    change = rooms.update().where(rooms.c.id == sa.bindparam("room"))
    connection.execute(
        change.values({column: sa.bindparam(f"new_{column}") for column in COLUMNS}),
        [
            {"room": row["id"]} | {f"new_{column}": seal(column, row["owner_id"], row[column]) for column in COLUMNS}
            for row in rows
        ],
    )
