"""notices"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "notice_choices",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("by_message", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_notice_choices_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_notice_choices")),
    )
    op.create_table(
        "push_subscriptions",
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("auth", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_push_subscriptions_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("endpoint", name=op.f("pk_push_subscriptions")),
    )
    op.create_table(
        "push_keys",
        sa.Column("owner_id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("push_key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("owner_id", name=op.f("pk_push_keys")),
    )
    op.create_table(
        "notices",
        sa.Column("room_id", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.Float(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.id"], name=op.f("fk_notices_room_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("room_id", "started_at", name=op.f("pk_notices")),
    )
    with op.batch_alter_table("push_subscriptions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_push_subscriptions_user_id"), ["user_id"], unique=False)
    with op.batch_alter_table("notices", schema=None) as batch_op:
        for column in ("started_at", "due_at"):
            batch_op.create_index(batch_op.f(f"ix_notices_{column}"), [column], unique=False)
    op.drop_index("ix_follows_room_id", "follows")
    op.create_index("ix_follows_room_id_user_id", "follows", ["room_id", "user_id"])
