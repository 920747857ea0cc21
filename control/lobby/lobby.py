"""Rooms by id, and by what people type."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from control.access.rights import parse_room_id
from control.access.vault import Vault
from control.accounts.identity import folded
from control.accounts.users import NOBODY, User
from control.clock import Clock
from control.lobby.cards import Card, live_rooms, read_card, select_cards
from control.refusals import NoSuchRoom
from control.rooms.search_index import wanted, whole_name
from control.storage.database import Store, numbered
from control.storage.tables import LAST_ROOM_ID, on_air, room_grams, rooms

FOUND = 20
NOT_AT_ALL = 9
LOOKED_AT = 200  # candidates that have the keyword's pieces, before it is seen whether they have it in one
# So many pieces of a keyword are counted, and so many of the rarest used; so many texts with the rarest are looked at.
# A keyword that more texts have is found in some of them, names first.
COUNTED, USED, SCANNED = 16, 8, 2000


class Lobby:
    def __init__(self, store: Store, vault: Vault, clock: Clock) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock

    async def room(self, room_id: int, visitor: User) -> Card:
        """Raises NoSuchRoom."""
        if room_id > LAST_ROOM_ID:
            raise NoSuchRoom  # and more than the column holds
        query = select_cards(visitor, self._clock.now()).where(rooms.c.id == room_id)
        row = await self._store.fetch_one(query)
        if row is None:
            raise NoSuchRoom
        return read_card(row, visitor, self._vault)

    async def on_air(self, most: int) -> list[Card]:
        """Rooms on air, the newest broadcast first, as visitors who are not logged in see them."""
        now = self._clock.now()
        newest = live_rooms(now).limit(most).subquery()
        cards = select_cards(NOBODY, now).join(newest, newest.c.room_id == rooms.c.id)
        rows = await self._store.fetch_all(cards.order_by(newest.c.since.desc(), rooms.c.id.desc()))
        return [read_card(row, NOBODY, self._vault) for row in rows]

    async def counts(self) -> dict[int, tuple[int, bool]]:
        """Viewers, and whether it is live, of every room that has a viewer or a publisher."""
        columns = on_air.c.room_id, on_air.c.players, on_air.c.live_since
        counts: dict[int, tuple[int, bool]] = {}
        for row in await self._store.fetch_all(sa.select(*columns).where(on_air.c.expires_at > self._clock.now())):
            players, live = counts.get(row["room_id"], (0, False))
            counts[row["room_id"]] = players + row["players"], live or row["live_since"] is not None
        return counts

    async def _rarest_first(self, keyword: str) -> list[str]:
        """Some pieces of the keyword that few rooms have."""
        pieces = sorted(wanted(keyword))[:COUNTED]
        each = numbered(pieces)
        rows = sa.select(sa.literal(1)).where(room_grams.c.gram == each.c.value).limit(SCANNED).correlate(each)
        frequency = sa.select(sa.func.count()).select_from(rows.subquery()).correlate(each).scalar_subquery()
        found = await self._store.fetch_all(sa.select(each.c.value).order_by(frequency, each.c.value).limit(USED))
        return [row["value"] for row in found]

    async def search(self, keyword: str, visitor: User) -> list[Card]:
        """Up to 20 rooms, the best match first: the id, then names, topics and anchors' names. Raises NoSuchRoom."""
        number = parse_room_id(keyword) or 0
        candidates = _having(await self._rarest_first(keyword))
        namesakes = sa.select(room_grams.c.room_id).where(room_grams.c.gram == whole_name(keyword)).limit(FOUND)
        named = sa.or_(rooms.c.id == number, rooms.c.id.in_(candidates), rooms.c.id.in_(namesakes))
        rows = await self._store.fetch_all(select_cards(visitor, self._clock.now()).where(named))
        cards = (read_card(row, visitor, self._vault) for row in rows)
        ranked = [(_rank(card, number, keyword), card) for card in cards]
        ranked.sort(key=lambda pair: (pair[0], pair[1].room_id))
        found = [card for rank, card in ranked if rank[0] < NOT_AT_ALL]
        if not found:
            raise NoSuchRoom
        return found[:FOUND]


def _having(pieces: list[str]) -> sa.Select[Any]:
    """Ids of rooms one of whose texts has all these pieces, the first of which is the rarest; the best such text's
    first."""
    rare, *others = pieces
    rows = sa.select(room_grams.c.room_id, room_grams.c.field).where(room_grams.c.gram == rare)
    first = rows.order_by(room_grams.c.field, room_grams.c.room_id).limit(SCANNED).subquery()
    same_text = sa.and_(room_grams.c.room_id == first.c.room_id, room_grams.c.field == first.c.field)
    also = (sa.select(room_grams.c.gram).where(room_grams.c.gram == piece, same_text).exists() for piece in others)
    best = sa.func.min(first.c.field)
    return sa.select(first.c.room_id).where(*also).group_by(first.c.room_id).order_by(best).limit(LOOKED_AT)


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
