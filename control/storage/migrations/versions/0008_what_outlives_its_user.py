"""what outlives its user"""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    for table in ("user_revocations", "address_bans", "chat_messages"):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_constraint(batch_op.f(f"fk_{table}_user_id"), type_="foreignkey")
    with op.batch_alter_table("address_bans", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_address_bans_user_id"))
