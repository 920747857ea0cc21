"""positions in lists"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

EXPIRING = {
    "ticket_revocations": "until_expiry_ms",
    "user_revocations": "until_expiry_ms",
    "bans": "until",
    "address_bans": "until",
}


def upgrade() -> None:
    op.execute("DELETE FROM list_pages")  # what was read begins anew: the ids left say nothing of how far it was read
    with op.batch_alter_table("list_pages", schema=None) as batch_op:
        batch_op.add_column(sa.Column("position", sa.Text(), nullable=False))
        batch_op.drop_column("room_ids")
    for table, column in EXPIRING.items():  # what has no effect any more is looked for from time to time
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.create_index(batch_op.f(f"ix_{table}_{column}"), [column], unique=False)
