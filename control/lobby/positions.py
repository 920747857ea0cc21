"""How far a list was read, and what comes next in it. No room comes twice and none is left out, though rooms go on and
off air between two pages: see docs/decisions/list-pages.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from math import inf
from typing import Any

from control.lobby.live_rooms import LiveRooms, Place
from control.rooms.follows import Followed

TOP: Place = (inf, 0)
MOST_MISSED = 1000  # rooms that left the air while a list was read; of more it begins anew


@dataclass(frozen=True, slots=True)
class InAll:
    """In the list of what is live: `place` is the last shown. `missed`: where rooms further down were that left the
    air before their turn; they are shown once they are live again."""

    place: Place
    departures: int
    """So many of `LiveRooms` are taken account of."""
    missed: tuple[Place, ...] = ()

    def next(self, live: LiveRooms, count: int) -> tuple[list[int], InAll] | None:
        """The next rooms, and the position after them. None where it was too long ago: the list begins anew."""
        departed = live.departed_since(self.departures)
        if departed is None:
            return None
        below = (place for place in departed if place < self.place)
        missed = {room_id: (at, room_id) for at, room_id in (*below, *self.missed)}
        if len(missed) > MOST_MISSED:
            return None
        waiting = [place for room_id, place in missed.items() if not self._is_below(live.place(room_id))]
        waiting.sort(reverse=True)
        back = [room_id for _, room_id in waiting if live.is_live(room_id)][:count]
        places = live.below(self.place, count - len(back))
        left = tuple(place for place in waiting if place[1] not in back)
        room_ids = [*back, *(room_id for _, room_id in places)]
        return room_ids, InAll(places[-1] if places else self.place, live.departures, left)

    def _is_below(self, place: Place | None) -> bool:
        """Whether its turn comes by itself."""
        return place is not None and place < self.place


@dataclass(frozen=True, slots=True)
class InFollowed:
    """In the list of what a user follows: live rooms first, `place` being the last of them shown, then all the others
    in the order of following, `rest` being the last of those. `shown` live ones do not come again among the others."""

    place: Place = TOP
    rest: Place | None = None
    """None: the live ones are not through yet."""
    shown: tuple[int, ...] = ()

    def next(self, live: LiveRooms, followed: Followed, count: int) -> tuple[list[int], InFollowed]:
        """The next rooms, and the position after them."""
        places = [] if self.rest is not None else self._live(live, followed)[:count]
        now = replace(self, place=places[-1], shown=(*self.shown, *(room for _, room in places))) if places else self
        room_ids = [room_id for _, room_id in places]
        if len(places) == count:
            return room_ids, now
        start, gone = now.rest or TOP, {*now.shown}
        others = ((at, room_id) for room_id, at in followed.items() if (at, room_id) < start and room_id not in gone)
        rest = list(islice(others, count - len(places)))
        return [*room_ids, *(room_id for _, room_id in rest)], replace(now, rest=rest[-1] if rest else start)

    def _live(self, live: LiveRooms, followed: Followed) -> list[Place]:
        places = (live.place(room_id) for room_id in followed)
        return sorted((place for place in places if place and place < self.place), reverse=True)


Position = InAll | InFollowed


def written(position: Position, life: str) -> list[Any]:
    """As JSON can have it. `life` is that of the `LiveRooms` whose departures are counted."""
    match position:
        case InAll():
            return [position.place, position.missed, position.departures, life]
        case InFollowed():
            return [_finite(position.place), position.rest and _finite(position.rest), position.shown]


def read_all(text: Sequence[Any], life: str) -> InAll:
    """Of what another life wrote all that left the air since this one began is taken account of."""
    place, missed, *counted = text
    departures = int(counted[0]) if counted and counted[1] == life else 0
    return InAll(_place(place), departures, tuple(map(_place, missed)))


def read_followed(text: Sequence[Any], _: str) -> InFollowed:
    [place, rest, shown] = text
    return InFollowed(_place(place), None if rest is None else _place(rest), tuple(shown))


def _finite(place: Place) -> list[float]:
    """JSON has no infinity: an empty list is the top."""
    return [] if place == TOP else list(place)


def _place(numbers: Sequence[Any]) -> Place:
    return (float(numbers[0]), int(numbers[1])) if numbers else TOP
