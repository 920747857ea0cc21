"""Rooms by id, and by what people type."""

from __future__ import annotations

import sqlalchemy as sa

from control.access.rights import parse_room_id
from control.accounts.identity import folded
from control.accounts.users import NOBODY, User
from control.clock import Clock
from control.lobby.cards import Card, live_rooms, read_card, select_cards
from control.refusals import NoSuchRoom
from control.rooms.search_index import wanted, whole_name
from control.storage.database import Store
from control.storage.tables import LAST_ROOM_ID, on_air, room_grams, rooms

FOUND = 20
NOT_AT_ALL = 9
LOOKED_AT = 200  # candidates that have the keyword's pieces, before it is seen whether they have it in one


class Lobby:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def room(self, room_id: int, visitor: User) -> Card:
        """Raises NoSuchRoom."""
        if room_id > LAST_ROOM_ID:
            raise NoSuchRoom  # and more than the column holds
        query = select_cards(visitor, self._clock.now()).where(rooms.c.id == room_id)
        row = await self._store.fetch_one(query)
        if row is None:
            raise NoSuchRoom
        return read_card(row, visitor)

    async def on_air(self, most: int) -> list[Card]:
        """Rooms on air, the newest broadcast first, as visitors who are not logged in see them."""
        now = self._clock.now()
        newest = live_rooms(now).limit(most).subquery()
        cards = select_cards(NOBODY, now).join(newest, newest.c.room_id == rooms.c.id)
        rows = await self._store.fetch_all(cards.order_by(newest.c.since.desc(), rooms.c.id.desc()))
        return [read_card(row, NOBODY) for row in rows]

    async def counts(self) -> dict[int, tuple[int, bool]]:
        """Viewers, and whether it is live, of every room that has a viewer or a publisher."""
        columns = on_air.c.room_id, on_air.c.players, on_air.c.live_since
        counts: dict[int, tuple[int, bool]] = {}
        for row in await self._store.fetch_all(sa.select(*columns).where(on_air.c.expires_at > self._clock.now())):
            players, live = counts.get(row["room_id"], (0, False))
            counts[row["room_id"]] = players + row["players"], live or row["live_since"] is not None
        return counts

    async def search(self, keyword: str, visitor: User) -> list[Card]:
        """Up to 20 rooms, the best match first: the id, then names, topics and anchors' names. Raises NoSuchRoom."""
        number = parse_room_id(keyword) or 0
        candidates = sa.select(_having(keyword).c.room_id)
        namesakes = sa.select(room_grams.c.room_id).where(room_grams.c.gram == whole_name(keyword)).limit(FOUND)
        named = sa.or_(rooms.c.id == number, rooms.c.id.in_(candidates), rooms.c.id.in_(namesakes))
        rows = await self._store.fetch_all(select_cards(visitor, self._clock.now()).where(named))
        ranked = [(_rank(card, number, keyword), card) for card in (read_card(row, visitor) for row in rows)]
        ranked.sort(key=lambda pair: (pair[0], pair[1].room_id))
        found = [card for rank, card in ranked if rank[0] < NOT_AT_ALL]
        if not found:
            raise NoSuchRoom
        return found[:FOUND]


def _having(keyword: str) -> sa.Subquery:
    """Rooms one of whose texts has all the pieces of the keyword, and the best such text's field."""
    pieces = sorted(wanted(keyword))
    per_text = (
        sa.select(room_grams.c.room_id, room_grams.c.field)
        .where(room_grams.c.gram.in_(pieces))
        .group_by(room_grams.c.room_id, room_grams.c.field)
        .having(sa.func.count() == len(pieces))
        .subquery()
    )
    best = sa.func.min(per_text.c.field)
    return (
        sa.select(per_text.c.room_id, best.label("field")).group_by(per_text.c.room_id).order_by(best).limit(LOOKED_AT)
    ).subquery()


def _rank(card: Card, number: int, keyword: str) -> tuple[int, bool, int]:
    """How well the keyword fits: the id, the whole name, its beginning, within it, the topic, the anchor."""
    word, name = folded(keyword), folded(card.name)
    fits = (
        card.room_id == number,
        name == word,
        name.startswith(word),
        word in name,
        word in folded(card.topic),
        word in folded(card.anchor_name),
    )
    return next((rank for rank, fit in enumerate(fits) if fit), NOT_AT_ALL), not card.is_live, -card.follow_count
