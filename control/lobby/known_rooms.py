"""Rooms put together, in memory: what is the same of one whoever looks at it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from control.access.rights import Rights, RightsOfRooms
from control.accounts.users import User, Users
from control.rooms.about import About, AboutRooms
from control.storage.cache import GroupedCache
from control.storage.changes import Change, Changed, Changes


@dataclass(frozen=True, slots=True)
class KnownRoom:
    about: About
    anchor: User
    """The room's owner."""
    rights: Rights
    written: dict[str, Any]
    """As the API writes it for somebody who sees nothing but what everybody does. Not to be changed."""


Write = Callable[[About, User], dict[str, Any]]


class KnownRooms:
    """`most` are kept. Each has to be looked up in three places, and to write one takes longer than to copy it: of a
    list's page that is the most of the work."""

    def __init__(
        self, *, about: AboutRooms, users: Users, rights: RightsOfRooms, write: Write, changes: Changes, most: int
    ) -> None:
        self._about = about
        self._users = users
        self._rights = rights
        self._write = write
        self._kept = GroupedCache(self._load, most, lambda room: room.anchor.id)
        changes.forget(self._forget, self._kept.clear)  # after the places that it is put together from

    async def of_all(self, room_ids: Iterable[int]) -> dict[int, KnownRoom]:
        """Those that exist, in the order of the ids. At most one query of a kind; none for what is in memory."""
        return await self._kept.get_all(room_ids)

    def _forget(self, change: Change) -> None:
        if change.room_id:
            self._kept.forget(change.room_id)
        if change.what is Changed.USER:
            self._kept.forget_group(change.user_id)

    async def _load(self, room_ids: Sequence[int]) -> dict[int, KnownRoom]:
        about = await self._about.of_all(room_ids)
        anchors = await self._users.of_all([each.owner_id for each in about.values()])
        rights = await self._rights.of_all(about)
        return {
            room_id: KnownRoom(each, anchor, rights[room_id], self._write(each, anchor))
            for room_id, each in about.items()
            if (anchor := anchors.get(each.owner_id)) and room_id in rights
        }
