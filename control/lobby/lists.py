"""Lists of rooms, a page at a time.

A listing keeps the order it began with, so that no room comes twice and none is left out while rooms go on and off air
between two pages; each page shows its rooms as they are now. Starting over is how a caller sees what is new.

What a listing has still to show is kept in memory and written together by `save`, so that a page that is read writes
nothing. A crash may lose the last second of it: such a listing starts over.
"""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Iterator
from enum import IntEnum
from typing import Any
from weakref import WeakValueDictionary

import orjson
import sqlalchemy as sa

from control.access.vault import Vault
from control.accounts.sessions import Caller
from control.clock import Clock, Epoch
from control.lobby.cards import Card, is_live, live_rooms, read_card, select_cards
from control.storage.database import Store, insert, listed, numbered
from control.storage.tables import follows, list_pages, on_air, rooms, sessions

KEPT = 2000  # listings in memory; others are read when they go on
WRITTEN, LAST_WRITTEN = 20_000, 1_000_000  # room ids that one `save` writes at most, and the last of a process


class Kind(IntEnum):
    ALL = 1
    FOLLOWED = 2


Listing = tuple[str, Kind]
"""A session's digest and a kind."""


class Lists:
    def __init__(self, store: Store, vault: Vault, clock: Clock) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock
        self._turns: WeakValueDictionary[Listing, asyncio.Lock] = WeakValueDictionary()
        self._left: dict[Listing, array[int]] = {}
        """The room ids that a listing has still to show; the last used last."""
        self._unsaved: dict[Listing, array[int]] = {}
        """Those of them that the database does not have so."""

    async def page(self, caller: Caller, kind: Kind, count: int, from_start: bool) -> list[Card]:
        """The next `count` rooms of the caller's listing; empty past its end. Pages that are asked for at once follow
        each other."""
        turn = self._turns.setdefault((caller.session, kind), asyncio.Lock())
        async with turn:
            return await self._next_page(caller, kind, count, from_start)

    async def _next_page(self, caller: Caller, kind: Kind, count: int, from_start: bool) -> list[Card]:
        listing = caller.session, kind
        room_ids = None if from_start else await self._going_on(listing)
        if room_ids is None:
            room_ids = await self._begun(caller, kind)
        rows = await self._store.fetch_all(self._cards(caller, kind, room_ids, count))
        shown = {row["id"] for row in rows}
        self._keep(listing, array("i", [room_id for room_id in room_ids if room_id not in shown]))
        return [read_card(row, caller.user, self._vault) for row in rows]

    async def _begun(self, caller: Caller, kind: Kind) -> list[int]:
        now = self._clock.now()
        order = live_rooms(now) if kind is Kind.ALL else _followed(caller.user.id, now)
        return [row["room_id"] for row in await self._store.fetch_all(order)]

    async def _going_on(self, listing: Listing) -> list[int] | None:
        for kept in (self._left, self._unsaved):
            if listing in kept:
                return list(kept[listing])
        session, kind = listing
        query = sa.select(list_pages.c.room_ids)
        mine = sa.and_(list_pages.c.session_digest == session, list_pages.c.kind == kind)
        row = await self._store.fetch_one(query.where(mine))
        return orjson.loads(row["room_ids"]) if row else None

    def _keep(self, listing: Listing, room_ids: array[int]) -> None:
        for kept in (self._left, self._unsaved):
            kept.pop(listing, None)
            kept[listing] = room_ids
            while len(kept) > KEPT:
                del kept[next(iter(kept))]

    async def save(self, most: int = WRITTEN) -> None:
        """Writes listings that have changed since the last time, the first changed first, in one statement; one at
        least, and no more than `most` room ids of them."""
        saved = dict(self._first_unsaved(most))
        if not saved:
            return
        texts = [(session, kind, orjson.dumps(ids.tolist()).decode()) for (session, kind), ids in saved.items()]
        columns = ("session_digest", "kind", "room_ids")
        fresh = listed(texts, columns).subquery()
        # Of sessions that are still there: what has ended has nothing to go on with.
        rows = sa.select(*fresh.c).join(sessions, sessions.c.digest == fresh.c.session_digest)
        upsert = insert(list_pages).from_select(columns, rows.where(sa.true()))
        changes = {"room_ids": upsert.excluded.room_ids}
        await self._store.write(upsert.on_conflict_do_update(["session_digest", "kind"], set_=changes))
        self._unsaved = {key: ids for key, ids in self._unsaved.items() if saved.get(key) is not ids}

    def _first_unsaved(self, most: int) -> Iterator[tuple[Listing, array[int]]]:
        for key, room_ids in self._unsaved.items():
            yield key, room_ids
            if (most := most - len(room_ids)) <= 0:
                return

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
