"""Which rooms have what people type, in memory until a room or an anchor is named anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from control.accounts.identity import folded
from control.accounts.users import Users
from control.rooms.about import About, AboutRooms
from control.rooms.search_index import wanted, whole_name
from control.storage.cache import Cache
from control.storage.changes import Change, Changed, Changes
from control.storage.database import Store, numbered_texts
from control.storage.tables import room_grams

FOUND = 20
NOT_AT_ALL = 9
LOOKED_AT = 200  # candidates that have the keyword's pieces, before it is seen whether they have it in one
# So many pieces of a keyword are counted, and so many of the rarest used; so many texts with the rarest are looked at.
# A keyword that more texts have is found in some of them, names first.
COUNTED, USED, SCANNED = 16, 8, 2000
KEPT = 1000  # keywords


@dataclass(frozen=True, slots=True)
class Match:
    room_id: int
    fit: int
    """How well the keyword fits, the best first: the whole name, its beginning, within it, the topic, the anchor."""


class Search:
    def __init__(self, *, store: Store, about: AboutRooms, users: Users, changes: Changes) -> None:
        self._store = store
        self._about = about
        self._users = users
        self._kept: Cache[str, Sequence[Match]] = Cache(self._load, KEPT)
        changes.forget(self._forget, self._kept.clear)

    async def matches(self, keyword: str) -> Sequence[Match]:
        """In no order."""
        return await self._kept.get(folded(keyword)) or ()

    def _forget(self, change: Change) -> None:
        if change.what is Changed.ROOM or (change.what in (Changed.USER, Changed.ACCOUNT) and change.room_id):
            self._kept.clear()

    async def _load(self, keywords: Sequence[str]) -> dict[str, Sequence[Match]]:
        return {keyword: await self._matches(keyword) for keyword in keywords}

    async def _matches(self, keyword: str) -> Sequence[Match]:
        pieces = await self._rarest_first(keyword)
        namesakes = sa.select(room_grams.c.room_id).where(room_grams.c.gram == whole_name(keyword)).limit(FOUND)
        having = _having(pieces).subquery()
        either = sa.union(sa.select(having.c.room_id), sa.select(namesakes.subquery().c.room_id))
        rows = await self._store.fetch_all(either)
        rooms = await self._about.of_all(row["room_id"] for row in rows)
        anchors = await self._users.of_all(room.owner_id for room in rooms.values())
        there = (room for room in rooms.values() if room.owner_id in anchors)  # others were deleted meanwhile
        fits = ((room, _fit(room, anchors[room.owner_id].nick_name, keyword)) for room in there)
        return [Match(room.room_id, fit) for room, fit in fits if fit < NOT_AT_ALL]

    async def _rarest_first(self, keyword: str) -> list[str]:
        """Some pieces of the keyword that few rooms have."""
        each = numbered_texts(sorted(wanted(keyword))[:COUNTED])
        rows = sa.select(sa.literal(1)).where(room_grams.c.gram == each.c.value).limit(SCANNED).correlate(each)
        frequency = sa.select(sa.func.count()).select_from(rows.subquery()).correlate(each).scalar_subquery()
        found = await self._store.fetch_all(sa.select(each.c.value).order_by(frequency, each.c.value).limit(USED))
        return [row["value"] for row in found]


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


def _fit(room: About, anchor: str, keyword: str) -> int:
    word, name = folded(keyword), folded(room.name)
    fits = (name == word, name.startswith(word), word in name, word in folded(room.topic), word in folded(anchor))
    return next((rank for rank, fit in enumerate(fits) if fit), NOT_AT_ALL)
