"""What the console needs; of `tables`, which they belong to."""

from __future__ import annotations

import sqlalchemy as sa

from control.storage.columns import metadata

operators = sa.Table(  # users who may enter the console
    "operators",
    metadata,
    sa.Column("user_id", sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("secret", sa.Text, nullable=False),  # sealed; of their one-time codes
    sa.Column("last_step", sa.BigInteger, nullable=False),  # of the last code that was taken: each is good once
    sa.Column("since", sa.Float, nullable=False),
)

console_logins = sa.Table(  # operators who are in
    "console_logins",
    metadata,
    sa.Column("digest", sa.Text, primary_key=True),  # of what their browser has
    sa.Column("user_id", sa.ForeignKey("operators.user_id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("expires_at", sa.Float, nullable=False, index=True),
)

audit = sa.Table(  # what operators did; it outlives who did it, and what it was done to
    "audit",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
    sa.Column("at", sa.Float, nullable=False, index=True),
    sa.Column("operator", sa.Text, nullable=False),  # account
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("details", sa.Text, nullable=False),  # JSON: what was asked, and what came of it
    sqlite_autoincrement=True,
)

figures = sa.Table(  # of nodes, over time
    "figures",
    metadata,
    sa.Column("step", sa.Integer, primary_key=True, autoincrement=False),  # seconds that a row stands for
    sa.Column("at", sa.BigInteger, primary_key=True, autoincrement=False),  # their beginning, since the epoch
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("live", sa.Float, nullable=False),  # rooms, mean
    sa.Column("over_rtmp", sa.Float, nullable=False),  # viewers, mean
    sa.Column("over_hls", sa.Float, nullable=False),
    sa.Column("bits_per_second", sa.Float, nullable=False),  # that publishers send, mean
    sa.Column("joins", sa.Float, nullable=False),  # clients let in, sum
    sa.Column("refusals", sa.Float, nullable=False),
    sa.Column("slowest", sa.Float, nullable=False),  # seconds within which 99 of 100 callbacks were answered
)
