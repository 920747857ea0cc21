"""the first schema"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "sent_messages",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sent_messages")),
    )
    with op.batch_alter_table("sent_messages", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sent_messages_sent_at"), ["sent_at"], unique=False)
        batch_op.create_index("ix_sent_messages_subject_sent_at", ["subject", "sent_at"], unique=False)

    op.create_table(
        "users",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("account_key", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("email_key", sa.Text(), nullable=True),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("nick_name", sa.Text(), nullable=False),
        sa.Column("sex", sa.SmallInteger(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("head_picture_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("account_key", name=op.f("uq_users_account_key")),
        sa.UniqueConstraint("email_key", name=op.f("uq_users_email_key")),
        sa.UniqueConstraint("phone", name=op.f("uq_users_phone")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "auth_codes",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("code_digest", sa.Text(), nullable=False),
        sa.Column("tries_left", sa.SmallInteger(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_auth_codes_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_auth_codes")),
    )
    with op.batch_alter_table("auth_codes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_auth_codes_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "head_pictures",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_head_pictures_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_head_pictures")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("head_pictures", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_head_pictures_user_id"), ["user_id"], unique=False)

    op.create_table(
        "pending_passwords",
        sa.Column("token_digest", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_pending_passwords_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_digest", name=op.f("pk_pending_passwords")),
    )
    with op.batch_alter_table("pending_passwords", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_pending_passwords_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_pending_passwords_user_id"), ["user_id"], unique=False)

    op.create_table(
        "rooms",
        sa.Column("id", sa.Integer(), sa.Identity(always=False, start=1000001), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("anchor_password", sa.Text(), nullable=False),
        sa.Column("assist_password", sa.Text(), nullable=False),
        sa.Column("user_password", sa.Text(), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("password_generation", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("follow_count", sa.Integer(), nullable=False),
        sa.Column("gate_shut_until", sa.Float(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_rooms_owner_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rooms")),
        sa.UniqueConstraint("owner_id", name=op.f("uq_rooms_owner_id")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "sessions",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("used_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sessions_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_sessions")),
    )
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sessions_used_at"), ["used_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_sessions_user_id"), ["user_id"], unique=False)

    op.create_table(
        "follows",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("room_id", sa.Integer(), nullable=False),
        sa.Column("followed_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.id"], name=op.f("fk_follows_room_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_follows_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "room_id", name=op.f("pk_follows")),
    )
    with op.batch_alter_table("follows", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_follows_room_id"), ["room_id"], unique=False)

    op.create_table(
        "list_pages",
        sa.Column("session_digest", sa.Text(), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("room_ids", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_digest"], ["sessions.digest"], name=op.f("fk_list_pages_session_digest"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("session_digest", "kind", name=op.f("pk_list_pages")),
    )
    op.create_table(
        "on_air",
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("room_id", sa.Integer(), nullable=False),
        sa.Column("live_since", sa.Float(), nullable=True),
        sa.Column("players", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.id"], name=op.f("fk_on_air_room_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("node", "room_id", name=op.f("pk_on_air")),
    )
    with op.batch_alter_table("on_air", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_on_air_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_on_air_live_since"), ["live_since"], unique=False)
        batch_op.create_index(batch_op.f("ix_on_air_room_id"), ["room_id"], unique=False)

    op.create_table(
        "room_grams",
        sa.Column("gram", sa.Text(), nullable=False),
        sa.Column("field", sa.SmallInteger(), nullable=False),
        sa.Column("room_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.id"], name=op.f("fk_room_grams_room_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("gram", "field", "room_id", name=op.f("pk_room_grams")),
    )
    with op.batch_alter_table("room_grams", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_room_grams_room_id"), ["room_id"], unique=False)

    op.create_table(
        "ticket_revocations",
        sa.Column("room_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("until_expiry_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["room_id"], ["rooms.id"], name=op.f("fk_ticket_revocations_room_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_ticket_revocations_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("room_id", "user_id", name=op.f("pk_ticket_revocations")),
    )
    with op.batch_alter_table("ticket_revocations", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ticket_revocations_user_id"), ["user_id"], unique=False)

    if op.get_context().dialect.name == "sqlite":
        # SQLite has no identity columns with a start: this is where AUTOINCREMENT looks for the last number.
        op.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('rooms', 1000000)")
