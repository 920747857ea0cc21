"""public rooms, and their guests"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    # Not in a batch, which would make the table anew, and number rooms from 1.
    op.add_column("rooms", sa.Column("is_public", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "guest_revocations",
        sa.Column("room_id", sa.Integer(), nullable=False),
        sa.Column("guest", sa.BigInteger(), nullable=False),
        sa.Column("until_expiry_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["room_id"], ["rooms.id"], name=op.f("fk_guest_revocations_room_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("room_id", "guest", name=op.f("pk_guest_revocations")),
    )
    with op.batch_alter_table("guest_revocations", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_guest_revocations_guest"), ["guest"], unique=False)
        batch_op.create_index(batch_op.f("ix_guest_revocations_until_expiry_ms"), ["until_expiry_ms"], unique=False)
