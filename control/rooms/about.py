"""What a room says of itself, in memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from control.storage.cache import Cache
from control.storage.changes import Change, Changed, Changes
from control.storage.database import Store, numbered
from control.storage.tables import LAST_ROOM_ID, rooms

CHANGES = (Changed.ROOM, Changed.FOLLOWS, Changed.ACCOUNT)
COLUMNS = (rooms.c.id, rooms.c.owner_id, rooms.c.name, rooms.c.description, rooms.c.topic, rooms.c.follow_count)


@dataclass(frozen=True, slots=True)
class About:
    """One room."""

    room_id: int
    owner_id: int
    name: str
    description: str
    topic: str
    follow_count: int


class AboutRooms:
    """`most` are kept in memory."""

    def __init__(self, *, store: Store, changes: Changes, most: int) -> None:
        self._store = store
        self._kept = Cache(self._load, most)
        changes.forget(self._forget, self._kept.clear)

    async def of(self, room_id: int) -> About | None:
        """None where there is no such room."""
        return await self._kept.get(room_id) if 0 < room_id <= LAST_ROOM_ID else None

    async def of_all(self, room_ids: Iterable[int]) -> dict[int, About]:
        return await self._kept.get_all(room_ids)

    def _forget(self, change: Change) -> None:
        if change.what in CHANGES:
            self._kept.forget(change.room_id)

    async def _load(self, room_ids: Sequence[int]) -> dict[int, About]:
        query = sa.select(*COLUMNS).where(rooms.c.id.in_(sa.select(numbered(room_ids).c.value)))
        return {row["id"]: About(*row) for row in await self._store.fetch_all(query)}
