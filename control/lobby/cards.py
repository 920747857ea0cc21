"""A room as one visitor sees it, in one query whatever the number of rooms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from control.access.vault import ANCHOR, ASSIST, USER, Vault
from control.accounts.users import User
from control.clock import Epoch
from control.storage.database import Row
from control.storage.tables import bans, follows, on_air, rooms, users


@dataclass(frozen=True, slots=True)
class Card:
    """`anchor_password`, `assist_password` and `user_password` are "" where the visitor may not know them."""

    room_id: int
    owner_id: int
    name: str
    description: str
    topic: str
    anchor_name: str
    head_picture_id: int
    is_followed: bool
    follow_count: int
    players: int
    is_live: bool
    anchor_password: str
    assist_password: str
    user_password: str
    password_generation: int
    is_open: bool
    """The viewing password was issued, and is told to every logged-in user."""
    need_password: bool
    """The visitor must know the viewing password to watch."""
    is_banned: bool
    """No password helps."""


def is_live(now: Epoch) -> sa.ColumnElement[bool]:
    return sa.and_(on_air.c.live_since > 0, on_air.c.expires_at > now)


def live_rooms(now: Epoch) -> sa.Select[Any]:
    """`room_id` and `since` of rooms on air, newest broadcast first."""
    live = sa.select(on_air.c.room_id, on_air.c.live_since).where(is_live(now)).cte("live")
    live = live.prefix_with("MATERIALIZED")  # else SQLite goes through all rows, in the order of rooms
    since = sa.func.max(live.c.live_since)
    return (
        sa.select(live.c.room_id, since.label("since"))
        .group_by(live.c.room_id)
        .order_by(since.desc(), live.c.room_id.desc())
    )


def select_cards(visitor: User, now: Epoch) -> sa.Select[Any]:
    """What `read_card` reads."""
    believed = sa.and_(on_air.c.room_id == rooms.c.id, on_air.c.expires_at > now)
    players = sa.select(sa.func.coalesce(sa.func.sum(on_air.c.players), 0)).where(believed).scalar_subquery()
    live = sa.select(on_air.c.room_id).where(believed, on_air.c.live_since > 0).exists()
    followed = follows.select().where(follows.c.user_id == visitor.id, follows.c.room_id == rooms.c.id).exists()
    banned = bans.select().where(bans.c.user_id == visitor.id, bans.c.room_id == rooms.c.id, bans.c.until > now)
    return sa.select(
        rooms,
        users.c.nick_name,
        users.c.head_picture_id,
        players.label("players"),
        live.label("is_live"),
        followed.label("is_followed"),
        banned.exists().label("is_banned"),
    ).join_from(rooms, users, users.c.id == rooms.c.owner_id)


def read_card(row: Row, visitor: User, vault: Vault) -> Card:
    mine = row["owner_id"] == visitor.id
    may_watch = mine or (row["is_open"] and not row["is_banned"])
    return Card(
        room_id=row["id"],
        owner_id=row["owner_id"],
        name=row["name"],
        description=row["description"],
        topic=row["topic"],
        anchor_name=row["nick_name"],
        head_picture_id=row["head_picture_id"],
        is_followed=bool(row["is_followed"]),
        follow_count=row["follow_count"],
        players=row["players"],
        is_live=bool(row["is_live"]),
        anchor_password=vault.opened(row, ANCHOR) if mine else "",
        assist_password=vault.opened(row, ASSIST) if mine else "",
        user_password=vault.opened(row, USER) if may_watch else "",
        password_generation=row["password_generation"],
        is_open=bool(row["is_open"]),
        need_password=not may_watch,
        is_banned=bool(row["is_banned"]),
    )
