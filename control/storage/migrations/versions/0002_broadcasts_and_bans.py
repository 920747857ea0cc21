"""broadcasts and bans"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "bans",
        sa.Column("room_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("until", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.id"], name=op.f("fk_bans_room_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_bans_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("room_id", "user_id", name=op.f("pk_bans")),
    )
    with op.batch_alter_table("bans", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_bans_user_id"), ["user_id"], unique=False)

    op.create_table(
        "broadcasts",
        sa.Column("room_id", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.Float(), nullable=False),
        sa.Column("publisher", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.Float(), nullable=False),
        sa.Column("ended_at", sa.Float(), nullable=True),
        sa.Column("ending", sa.Text(), nullable=True),
        sa.Column("encoder", sa.Text(), nullable=False),
        sa.Column("peak_viewers", sa.Integer(), nullable=False),
        sa.Column("total_viewers", sa.Integer(), nullable=False),
        sa.Column("watch_seconds", sa.Float(), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.id"], name=op.f("fk_broadcasts_room_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("room_id", "started_at", name=op.f("pk_broadcasts")),
    )
    with op.batch_alter_table("broadcasts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_broadcasts_closed"), ["closed"], unique=False)

    op.create_table(
        "broadcast_viewers",
        sa.Column("room_id", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.Float(), nullable=False),
        sa.Column("viewer", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["room_id", "started_at"],
            ["broadcasts.room_id", "broadcasts.started_at"],
            name=op.f("fk_broadcast_viewers_room_id_started_at"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("room_id", "started_at", "viewer", name=op.f("pk_broadcast_viewers")),
    )

    # What is on air goes on over the upgrade: 15 s after they were last said, these rows expire.
    op.execute(
        "INSERT INTO broadcasts (room_id, started_at, publisher, seen_at, encoder, peak_viewers, total_viewers,"
        " watch_seconds, closed) SELECT room_id, live_since, '', expires_at - 15, '', players, 0, 0, false"
        " FROM on_air WHERE live_since IS NOT NULL"
    )
