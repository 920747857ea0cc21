"""Lists of rooms, a page at a time.

How far a list was read is kept in memory and written together by `save`, so that a page that is read writes nothing.
A crash may lose the last second of it: such a list is read on from a page before.
"""

from __future__ import annotations

import asyncio
from enum import IntEnum
from weakref import WeakValueDictionary

import orjson
import sqlalchemy as sa

from control.accounts.sessions import Caller
from control.lobby.cards import Card, Cards
from control.lobby.live_rooms import LiveRooms
from control.lobby.positions import InAll, InFollowed, Position, read_all, read_followed, written
from control.rooms.follows import Follows
from control.storage.database import Store, insert, listed
from control.storage.tables import list_pages, sessions

WRITTEN, LAST_WRITTEN = 2000, 200_000  # positions that one `save` writes at most, and the last of a process


class Kind(IntEnum):
    ALL = 1
    FOLLOWED = 2


Listing = tuple[str, Kind]
"""A session's digest and a kind."""


class Lists:
    """`most` positions are kept in memory; others are read when a list is read on. `shared`: other nodes may have been
    asked for the page before, so each is written before its page is answered, and read."""

    def __init__(
        self, *, store: Store, cards: Cards, live: LiveRooms, follows: Follows, most: int, shared: bool = False
    ) -> None:
        self._store = store
        self._cards = cards
        self._live = live
        self._follows = follows
        self._most = most
        self._shared = shared
        self._turns: WeakValueDictionary[Listing, asyncio.Lock] = WeakValueDictionary()
        self._positions: dict[Listing, Position] = {}
        """The last used last."""
        self._unsaved: dict[Listing, Position] = {}
        """Those of them that the database does not have so."""

    async def page(self, caller: Caller, kind: Kind, count: int, from_start: bool) -> list[Card]:
        """The next `count` rooms of the caller's list; empty past its end. Pages that are asked for at once follow each
        other."""
        listing = caller.session, kind
        turn = self._turns.setdefault(listing, asyncio.Lock())
        async with turn:
            position = None if from_start else await self._position(listing)
            room_ids, position = await self._next(caller.user.id, kind, position, count)
            cards = await self._cards.of(caller.user, room_ids)
            self._keep(listing, position)
            if self._shared:
                await self.save()
        return cards

    async def _next(
        self, user_id: int, kind: Kind, position: Position | None, count: int
    ) -> tuple[list[int], Position]:
        if kind is Kind.FOLLOWED:
            assert not isinstance(position, InAll)
            return (position or InFollowed()).next(self._live, await self._follows.of(user_id), count)
        assert not isinstance(position, InFollowed)
        start = InAll(self._live.top, self._live.departures)
        following = (position or start).next(self._live, count) or start.next(self._live, count)
        assert following is not None
        return following

    async def _position(self, listing: Listing) -> Position | None:
        """None where the list was not begun."""
        for kept in () if self._shared else (self._positions, self._unsaved):
            if listing in kept:
                return kept[listing]
        session, kind = listing
        mine = sa.and_(list_pages.c.session_digest == session, list_pages.c.kind == kind)
        row = await self._store.fetch_one(sa.select(list_pages.c.position).where(mine))
        if row is None:
            return None
        return (read_all if kind is Kind.ALL else read_followed)(orjson.loads(row["position"]), self._live.life)

    def _keep(self, listing: Listing, position: Position) -> None:
        for kept in (self._positions, self._unsaved):
            kept.pop(listing, None)
            kept[listing] = position
            if len(kept) > self._most:
                del kept[next(iter(kept))]

    async def save(self, most: int = WRITTEN) -> None:
        """Writes what has changed since the last time, the first changed first, in one statement: no more than `most`
        positions."""
        saved = {listing: self._unsaved[listing] for listing, _ in zip(self._unsaved, range(most), strict=False)}
        if not saved:
            return
        life = self._live.life
        texts = [(*listing, orjson.dumps(written(position, life)).decode()) for listing, position in saved.items()]
        columns = ("session_digest", "kind", "position")
        fresh = listed(texts, list_pages.c[columns]).subquery()
        # Of sessions that are still there: what has ended has nothing to go on with.
        rows = sa.select(*fresh.c).join(sessions, sessions.c.digest == fresh.c.session_digest)
        upsert = insert(list_pages).from_select(columns, rows.where(sa.true()))
        changes = {"position": upsert.excluded.position}
        await self._store.write(upsert.on_conflict_do_update(index_elements=["session_digest", "kind"], set_=changes))
        self._unsaved = {key: position for key, position in self._unsaved.items() if saved.get(key) is not position}
