"""What happened in rooms, who is told of it, and how much a room may have; of `tables`, which they belong to."""

from __future__ import annotations

import sqlalchemy as sa

from control.storage.columns import metadata, of_room, of_user

room_events = sa.Table(  # what happened in a room, for its owner's programs; control/storage/room_events.py
    "room_events",
    metadata,
    of_room(primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),  # from 1 up in each room, without gaps
    sa.Column("at", sa.Float, nullable=False, index=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("details", sa.Text, nullable=False),  # JSON
)

webhooks = sa.Table(  # where a room's events are posted to
    "webhooks",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    of_room(index=True),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("secret", sa.Text, nullable=False),  # sealed
    sa.Column("kinds", sa.Text, nullable=False),  # JSON
    sa.Column("wants_viewers", sa.Boolean, nullable=False, index=True),  # some of its kinds are told only if wanted
    sa.Column("paused", sa.Boolean, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),  # number of the last event that it needs no more
    sa.Column("due_at", sa.Float, nullable=True, index=True),  # null: there is nothing to post
    sa.Column("failures", sa.Integer, nullable=False),  # one after the other, up to now
    sa.Column("attempts", sa.Integer, nullable=False),  # in all
    sa.Column("created_at", sa.Float, nullable=False),
    sqlite_autoincrement=True,
)

webhook_deliveries = sa.Table(  # the last attempts of each
    "webhook_deliveries",
    metadata,
    sa.Column("webhook_id", sa.ForeignKey("webhooks.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("attempt", sa.Integer, primary_key=True),
    sa.Column("number", sa.Integer, nullable=False),  # of the event
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("status", sa.Integer, nullable=False),  # HTTP; 0: no answer
    sa.Column("failure", sa.Text, nullable=False),  # "" where it was taken
)

notices = sa.Table(  # that a room is live, to those who follow it; one for each broadcast
    "notices",
    metadata,
    of_room(primary_key=True),
    sa.Column("started_at", sa.Float, primary_key=True, index=True),
    sa.Column("position", sa.Integer, nullable=False),  # the last follower's id that was told
    sa.Column("due_at", sa.Float, nullable=True, index=True),  # null: all were
)

notice_choices = sa.Table(
    "notice_choices",
    metadata,
    of_user(primary_key=True),
    sa.Column("by_message", sa.Boolean, nullable=False),
)

push_subscriptions = sa.Table(  # browsers that are told, by way of a push service
    "push_subscriptions",
    metadata,
    sa.Column("endpoint", sa.Text, primary_key=True),
    of_user(index=True),
    sa.Column("public_key", sa.Text, nullable=False),
    sa.Column("auth", sa.Text, nullable=False),
    sa.Column("created_at", sa.Float, nullable=False),
)

push_keys = sa.Table(  # by which push services know this service: one
    "push_keys",
    metadata,
    sa.Column("owner_id", sa.Integer, primary_key=True, autoincrement=False),  # 0
    sa.Column("push_key", sa.Text, nullable=False),  # sealed
)

user_quotas = sa.Table(  # of a user's room, where it is another than for all; null: the same
    "user_quotas",
    metadata,
    of_user(primary_key=True),
    sa.Column("viewers", sa.Integer, nullable=True),
    sa.Column("kbps", sa.Integer, nullable=True),
    sa.Column("height", sa.Integer, nullable=True),
    sa.Column("hours", sa.Integer, nullable=True),
)
