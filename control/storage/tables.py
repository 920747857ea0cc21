"""The whole schema in one look. Times are seconds since the epoch; a digest is SHA-256, of a secret not kept."""

from __future__ import annotations

import sqlalchemy as sa

from control.storage.columns import metadata as metadata
from control.storage.columns import of_room, of_user
from control.storage.console_tables import audit as audit
from control.storage.console_tables import console_logins as console_logins
from control.storage.console_tables import figures as figures
from control.storage.console_tables import operators as operators
from control.storage.event_tables import notice_choices as notice_choices
from control.storage.event_tables import notices as notices
from control.storage.event_tables import push_keys as push_keys
from control.storage.event_tables import push_subscriptions as push_subscriptions
from control.storage.event_tables import room_events as room_events
from control.storage.event_tables import user_quotas as user_quotas
from control.storage.event_tables import webhook_deliveries as webhook_deliveries
from control.storage.event_tables import webhooks as webhooks

FIRST_ROOM_ID = 1000001  # wire contract
LAST_ROOM_ID = 2**31 - 1  # shipped apps hold a room id in a signed 32-bit integer
LAST_USER_ID = 2**31 - 1  # an integer column holds no more everywhere

users = sa.Table(
    "users",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("account_key", sa.Text, nullable=False, unique=True),  # folded: unique without regard to case
    sa.Column("phone", sa.Text, nullable=False, unique=True),  # E.164
    sa.Column("email", sa.Text, nullable=True),
    sa.Column("email_key", sa.Text, nullable=True, unique=True),
    sa.Column("password_hash", sa.Text, nullable=False),
    sa.Column("nick_name", sa.Text, nullable=False),
    sa.Column("sex", sa.SmallInteger, nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("head_picture_id", sa.Integer, nullable=False),  # 0: none
    sa.Column("created_at", sa.Float, nullable=False),
    sqlite_autoincrement=True,
)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("digest", sa.Text, primary_key=True),
    of_user(index=True),
    sa.Column("begun_at", sa.Float, nullable=False, index=True),
    sa.Column("used_at", sa.Float, nullable=False, index=True),
    sa.Column("address", sa.Text, nullable=False),  # whence the login came
    sa.Column("client", sa.Text, nullable=False),  # what it called itself
)

pending_passwords = sa.Table(
    "pending_passwords",
    metadata,
    sa.Column("token_digest", sa.Text, primary_key=True),
    of_user(index=True),
    sa.Column("password_hash", sa.Text, nullable=False),
    sa.Column("expires_at", sa.Float, nullable=False, index=True),
)

auth_codes = sa.Table(
    "auth_codes",
    metadata,
    of_user(primary_key=True),
    sa.Column("asked_from", sa.Text, primary_key=True),  # a network: strangers wear out their own codes alone
    sa.Column("code_digest", sa.Text, nullable=False),
    sa.Column("tries_left", sa.SmallInteger, nullable=False),
    sa.Column("expires_at", sa.Float, nullable=False, index=True),
)

sent_messages = sa.Table(  # what the rate limits count
    "sent_messages",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("subject", sa.Text, nullable=False),  # "phone:…" or "address:…"
    sa.Column("sent_at", sa.Float, nullable=False, index=True),
    sa.Index("ix_sent_messages_subject_sent_at", "subject", "sent_at"),
)

head_pictures = sa.Table(
    "head_pictures",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    of_user(index=True),
    sa.Column("media_type", sa.Text, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sqlite_autoincrement=True,  # an id is never used again: caches may hold a picture for ever
)

rooms = sa.Table(
    "rooms",
    metadata,
    sa.Column("id", sa.Integer, sa.Identity(start=FIRST_ROOM_ID), primary_key=True),
    sa.Column("owner_id", sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False, unique=True),
    sa.Column("anchor_password", sa.Text, nullable=False),
    sa.Column("assist_password", sa.Text, nullable=False),
    sa.Column("user_password", sa.Text, nullable=False),
    sa.Column("is_open", sa.Boolean, nullable=False),  # the viewing password was issued, not chosen
    sa.Column("is_public", sa.Boolean, nullable=False, server_default=sa.false()),  # open to who has no account, too
    sa.Column("password_generation", sa.Integer, nullable=False),  # of the viewing password; tickets carry it
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("follow_count", sa.Integer, nullable=False),
    sa.Column("gate_shut_until", sa.Float, nullable=False),
    sa.Column("created_at", sa.Float, nullable=False),
    sqlite_autoincrement=True,
)

room_grams = sa.Table(  # search: the one- and two-letter pieces of what a room is found by
    "room_grams",
    metadata,
    sa.Column("gram", sa.Text, primary_key=True),
    sa.Column("field", sa.SmallInteger, primary_key=True),
    of_room(primary_key=True, index=True),
)

follows = sa.Table(
    "follows",
    metadata,
    of_user(primary_key=True),
    of_room(primary_key=True),
    sa.Column("followed_at", sa.Float, nullable=False),
    sa.Index("ix_follows_room_id_user_id", "room_id", "user_id"),
)

ticket_revocations = sa.Table(
    "ticket_revocations",
    metadata,
    of_room(primary_key=True),
    of_user(primary_key=True, index=True),
    # Void: this user's tickets that expire by then.
    sa.Column("until_expiry_ms", sa.BigInteger, nullable=False, index=True),
)

guest_revocations = sa.Table(
    "guest_revocations",
    metadata,
    of_room(primary_key=True),
    sa.Column("guest", sa.BigInteger, primary_key=True, index=True),  # a number below zero, which is in their ticket
    sa.Column("until_expiry_ms", sa.BigInteger, nullable=False, index=True),
)

user_revocations = sa.Table(
    "user_revocations",
    metadata,
    sa.Column("user_id", sa.Integer, primary_key=True),  # who may have been deleted: tickets are not stored
    # Void: this user's tickets for any room, likewise.
    sa.Column("until_expiry_ms", sa.BigInteger, nullable=False, index=True),
)

on_air = sa.Table(  # what a node says of a room; good until expires_at unless said again
    "on_air",
    metadata,
    sa.Column("node", sa.Text, primary_key=True),
    of_room(primary_key=True, index=True),
    sa.Column("live_since", sa.Float, nullable=True, index=True),  # null: viewers wait, there is no publisher
    sa.Column("players", sa.Integer, nullable=False),
    sa.Column("expires_at", sa.Float, nullable=False, index=True),
)

broadcasts = sa.Table(  # one row for each, from going live to going off air
    "broadcasts",
    metadata,
    of_room(primary_key=True),
    sa.Column("started_at", sa.Float, primary_key=True),
    sa.Column("publisher", sa.Text, nullable=False),  # key of the session that sends it, or did last
    sa.Column("seen_at", sa.Float, nullable=False),  # when it was last known to be on air
    sa.Column("ended_at", sa.Float, nullable=True),  # null: on air
    sa.Column("ending", sa.Text, nullable=True),
    sa.Column("encoder", sa.Text, nullable=False),
    sa.Column("peak_viewers", sa.Integer, nullable=False),
    sa.Column("total_viewers", sa.Integer, nullable=False),
    sa.Column("watch_seconds", sa.Float, nullable=False),
    sa.Column("closed", sa.Boolean, nullable=False, index=True),  # it cannot go on any more
    sa.Column("told", sa.Text, nullable=False, server_default=""),  # the last of the room's events that is about it
)

broadcast_viewers = sa.Table(  # those counted in total_viewers, until the broadcast is closed
    "broadcast_viewers",
    metadata,
    sa.Column("room_id", sa.Integer, primary_key=True),
    sa.Column("started_at", sa.Float, primary_key=True),
    sa.Column("viewer", sa.Text, primary_key=True),
    sa.ForeignKeyConstraint(
        ["room_id", "started_at"], ["broadcasts.room_id", "broadcasts.started_at"], ondelete="CASCADE"
    ),
)

broadcast_samples = sa.Table(  # how a broadcast went, once a minute
    "broadcast_samples",
    metadata,
    sa.Column("room_id", sa.Integer, primary_key=True),
    sa.Column("started_at", sa.Float, primary_key=True),
    sa.Column("at", sa.Integer, primary_key=True, index=True),
    sa.Column("viewers", sa.Integer, nullable=False),
    sa.Column("bits_per_second", sa.BigInteger, nullable=False),
    sa.Column("frames_per_second", sa.Float, nullable=False),
    sa.ForeignKeyConstraint(
        ["room_id", "started_at"], ["broadcasts.room_id", "broadcasts.started_at"], ondelete="CASCADE"
    ),
)

bans = sa.Table(
    "bans",
    metadata,
    of_room(primary_key=True),
    of_user(primary_key=True, index=True),
    sa.Column("until", sa.Float, nullable=False, index=True),
)

address_bans = sa.Table(  # networks that a banned user watched an open room from
    "address_bans",
    metadata,
    of_room(primary_key=True),
    sa.Column("user_id", sa.Integer, primary_key=True),  # who may have been deleted, and come back as another
    sa.Column("network", sa.Text, primary_key=True),
    sa.Column("since", sa.Float, nullable=False),
    sa.Column("until", sa.Float, nullable=False, index=True),
)

chat_rooms = sa.Table(  # rooms in which somebody has written, or whose rules are others than at the start
    "chat_rooms",
    metadata,
    of_room(primary_key=True),
    sa.Column("broadcast_ms", sa.BigInteger, nullable=False),  # the start of the one that its messages are of
    sa.Column("last_number", sa.Integer, nullable=False),  # of a message, also of one that is gone: never given again
    sa.Column("slow_seconds", sa.Integer, nullable=False),
    sa.Column("muted_words", sa.Text, nullable=False),  # JSON
)

chat_messages = sa.Table(
    "chat_messages",
    metadata,
    of_room(primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("user_id", sa.Integer, nullable=False, index=True),  # who may have been deleted: numbers have no gaps
    sa.Column("nick_name", sa.Text, nullable=False),  # as it was then
    sa.Column("text", sa.Text, nullable=False),  # "" once it is deleted
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("deleted", sa.Boolean, nullable=False),
)

chat_mutes = sa.Table(  # users who may read a room's chat, and not write there
    "chat_mutes",
    metadata,
    of_room(primary_key=True),
    of_user(primary_key=True, index=True),
    sa.Column("until", sa.Float, nullable=False, index=True),
)

list_pages = sa.Table(  # how far a session has read a list
    "list_pages",
    metadata,
    sa.Column("session_digest", sa.ForeignKey("sessions.digest", ondelete="CASCADE"), primary_key=True),
    sa.Column("kind", sa.SmallInteger, primary_key=True),
    sa.Column("position", sa.Text, nullable=False),  # JSON
)


log = sa.Table(  # what changed, for all nodes; control/storage/log.py
    "log",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
    sa.Column("at", sa.Float, nullable=False, index=True),
    sa.Column("node", sa.Text, nullable=False),  # who did it
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("room_id", sa.Integer, nullable=False),  # 0: it is of none; so are users
    sa.Column("user_id", sa.BigInteger, nullable=False),  # of a guest, a number below zero
    sa.Column("details", sa.Text, nullable=False),  # JSON, or ""
    sqlite_autoincrement=True,
)


nodes = sa.Table(  # that work over this database
    "nodes",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("address", sa.Text, nullable=False),  # an IP, where others reach it
    sa.Column("rtmp_port", sa.Integer, nullable=False),
    sa.Column("http_port", sa.Integer, nullable=False),
    sa.Column("keys", sa.Text, nullable=False),  # a digest of those that it signs with
    sa.Column("expires_at", sa.Float, nullable=False, index=True),  # by the database's clock; alive until then
    sa.Column("draining", sa.Boolean, nullable=False),  # nobody new is to be sent there
)

leases = sa.Table(  # which node has a room's publisher; control/live/leases.py
    "leases",
    metadata,
    of_room(primary_key=True),
    sa.Column("node", sa.Text, nullable=False),
    sa.Column("epoch", sa.BigInteger, nullable=False),  # one more with each change of nodes
    sa.Column("held", sa.Boolean, nullable=False, index=True),  # false: its publisher has gone
)
