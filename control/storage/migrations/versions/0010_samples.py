"""samples"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "broadcast_samples",
        sa.Column("room_id", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.Float(), nullable=False),
        sa.Column("at", sa.Integer(), nullable=False),
        sa.Column("viewers", sa.Integer(), nullable=False),
        sa.Column("bits_per_second", sa.BigInteger(), nullable=False),
        sa.Column("frames_per_second", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["room_id", "started_at"],
            ["broadcasts.room_id", "broadcasts.started_at"],
            name=op.f("fk_broadcast_samples_room_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("room_id", "started_at", "at", name=op.f("pk_broadcast_samples")),
    )
    with op.batch_alter_table("broadcast_samples", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_broadcast_samples_at"), ["at"], unique=False)
