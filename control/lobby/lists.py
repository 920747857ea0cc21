"""Lists of rooms, a page at a time.

A listing keeps the order it began with, so that no room comes twice and none is left out while rooms go on and off air
between two pages; each page shows its rooms as they are now. Starting over is how a caller sees what is new.
"""

from __future__ import annotations

import asyncio
from enum import IntEnum
from typing import Any
from weakref import WeakValueDictionary

import orjson
import sqlalchemy as sa

from control.accounts.sessions import Caller
from control.clock import Clock, Epoch
from control.lobby.cards import Card, is_live, live_rooms, read_card, select_cards
from control.storage.database import Store, insert, numbered
from control.storage.tables import follows, list_pages, on_air, rooms, sessions


class Kind(IntEnum):
    ALL = 1
    FOLLOWED = 2


class Lists:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._turns: WeakValueDictionary[tuple[str, Kind], asyncio.Lock] = WeakValueDictionary()

    async def page(self, caller: Caller, kind: Kind, count: int, from_start: bool) -> list[Card]:
        """The next `count` rooms of the caller's listing; empty past its end. Pages that are asked for at once follow
        each other."""
        turn = self._turns.setdefault((caller.session, kind), asyncio.Lock())
        async with turn:
            return await self._next_page(caller, kind, count, from_start)

    async def _next_page(self, caller: Caller, kind: Kind, count: int, from_start: bool) -> list[Card]:
        room_ids = None if from_start else await self._left(caller, kind)
        if room_ids is None:
            room_ids = await self._begun(caller, kind)
        rows = await self._store.fetch_all(self._cards(caller, kind, room_ids, count))
        shown = {row["id"] for row in rows}
        await self._keep(caller, kind, [room_id for room_id in room_ids if room_id not in shown])
        return [read_card(row, caller.user) for row in rows]

    async def _begun(self, caller: Caller, kind: Kind) -> list[int]:
        now = self._clock.now()
        order = live_rooms(now) if kind is Kind.ALL else _followed(caller.user.id, now)
        return [row["room_id"] for row in await self._store.fetch_all(order)]

    async def _left(self, caller: Caller, kind: Kind) -> list[int] | None:
        query = sa.select(list_pages.c.room_ids)
        mine = sa.and_(list_pages.c.session_digest == caller.session, list_pages.c.kind == kind)
        row = await self._store.fetch_one(query.where(mine))
        return orjson.loads(row["room_ids"]) if row else None

    async def _keep(self, caller: Caller, kind: Kind, room_ids: list[int]) -> None:
        # From the session's own row: it may have ended since the request began, and then there is nothing to keep.
        row = sa.select(sessions.c.digest, sa.literal(int(kind)), sa.literal(orjson.dumps(room_ids).decode()))
        columns = ("session_digest", "kind", "room_ids")
        upsert = insert(list_pages).from_select(columns, row.where(sessions.c.digest == caller.session))
        changes = {"room_ids": upsert.excluded.room_ids}
        await self._store.write(upsert.on_conflict_do_update(["session_digest", "kind"], set_=changes))

    def _cards(self, caller: Caller, kind: Kind, room_ids: list[int], count: int) -> sa.Select[Any]:
        now = self._clock.now()
        left = numbered(room_ids)
        next_ones = sa.select(left.c.key, left.c.value).order_by(left.c.key).limit(count)
        followed = follows.select().where(follows.c.user_id == caller.user.id, follows.c.room_id == left.c.value)
        live = on_air.select().where(on_air.c.room_id == left.c.value, is_live(now))
        # What is neither has lost its turn, not its place: it is shown on the next page if it is back by then.
        page = next_ones.where((live if kind is Kind.ALL else followed).exists()).subquery()
        return select_cards(caller.user, now).join(page, page.c.value == rooms.c.id).order_by(page.c.key)


def _followed(user_id: int, now: Epoch) -> sa.Select[Any]:
    """Ids of the rooms a user follows: live ones first, newest first, then the rest, the last followed first."""
    live = (
        sa.select(sa.func.max(on_air.c.live_since))
        .where(on_air.c.room_id == follows.c.room_id, is_live(now))
        .scalar_subquery()
    )
    since = sa.func.coalesce(live, 0)
    query = sa.select(follows.c.room_id).where(follows.c.user_id == user_id)
    return query.order_by(since.desc(), follows.c.followed_at.desc(), follows.c.room_id.desc())
