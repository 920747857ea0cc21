"""Rooms by id, and by what people type."""

from __future__ import annotations

from control.access.rights import parse_room_id
from control.accounts.users import NOBODY, User
from control.lobby.cards import Card, Cards
from control.lobby.live_rooms import LiveRooms
from control.lobby.search import FOUND, Search
from control.refusals import NoSuchRoom
from control.rooms.about import AboutRooms

BY_ID = -1  # fits better than any name


class Lobby:
    def __init__(self, *, cards: Cards, about: AboutRooms, live: LiveRooms, search: Search) -> None:
        self._cards = cards
        self._about = about
        self._live = live
        self._search = search

    async def room(self, room_id: int, visitor: User) -> Card:
        """Raises NoSuchRoom."""
        cards = await self._cards.of(visitor, [room_id])
        if not cards:
            raise NoSuchRoom
        return cards[0]

    async def on_air(self, most: int) -> list[Card]:
        """Rooms on air, the newest broadcast first, as visitors who are not logged in see them."""
        newest = self._live.below(self._live.top, most)
        return await self._cards.of(NOBODY, [room_id for _, room_id in newest])

    def now(self, room_id: int) -> tuple[bool, int]:
        """Whether a room is live, and how many watch it."""
        return self._live.is_live(room_id), self._live.players(room_id)

    def live_since(self, room_id: int) -> float | None:
        """Seconds since the epoch; None: it is not live."""
        place = self._live.place(room_id)
        return place[0] if place else None

    def counts(self) -> dict[int, tuple[int, bool]]:
        """Viewers, and whether it is live, of every room that has a viewer or a publisher."""
        live = self._live
        return {room_id: (live.players(room_id), live.is_live(room_id)) for room_id in live.rooms()}

    async def search(self, keyword: str, visitor: User) -> list[Card]:
        """Up to 20 rooms, the best match first: the id, then names, topics and anchors' names. Raises NoSuchRoom."""
        fits = {match.room_id: match.fit for match in await self._search.matches(keyword)}
        if number := parse_room_id(keyword):
            fits[number] = BY_ID
        rooms = await self._about.of_all(fits)
        ranked = sorted(
            rooms.values(),
            key=lambda room: (
                fits[room.room_id],
                not self._live.is_live(room.room_id),
                -room.follow_count,
                room.room_id,
            ),
        )
        found = await self._cards.of(visitor, [room.room_id for room in ranked[:FOUND]])
        if not found:
            raise NoSuchRoom
        return found
