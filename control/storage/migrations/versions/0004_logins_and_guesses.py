"""logins, codes by address, tickets of a user"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("begun_at", sa.Float(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("address", sa.Text(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("client", sa.Text(), nullable=False, server_default=""))
    # When the logins of before began is not known: their thirty days are counted from their last use.
    op.execute("UPDATE sessions SET begun_at = used_at")
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        for column in ("begun_at", "address", "client"):
            batch_op.alter_column(column, server_default=None)
        batch_op.create_index(batch_op.f("ix_sessions_begun_at"), ["begun_at"], unique=False)

    op.drop_table("auth_codes")  # codes live for ten minutes: another one can be asked for
    op.create_table(
        "auth_codes",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("asked_from", sa.Text(), nullable=False),
        sa.Column("code_digest", sa.Text(), nullable=False),
        sa.Column("tries_left", sa.SmallInteger(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_auth_codes_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "asked_from", name=op.f("pk_auth_codes")),
    )
    with op.batch_alter_table("auth_codes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_auth_codes_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "user_revocations",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("until_expiry_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_user_revocations_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_user_revocations")),
    )
