"""Whatever goes on and off air between two pages: no room comes twice, and none live at its turn is left out."""

from __future__ import annotations

from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from control.live.on_air_writer import OnAir
from control.lobby.live_rooms import LOGGED
from control.lobby.positions import MOST_MISSED, InAll, InFollowed, read_all, read_followed, written
from tests.support.nodes import StandInNode

ROOMS = range(1, 9)
rooms = st.sampled_from(ROOMS)
# What happens between two pages: rooms that go off air or on again, and how many rooms the next page has.
evenings = st.lists(st.tuples(st.lists(rooms, max_size=4), st.integers(1, 3)), max_size=12)

LIFE = "this"


class Air:
    """Rooms that go on air one after the other, as the index sees them."""

    def __init__(self, *rooms: int) -> None:
        never_asked: Any = None
        self.index, self.now, self.since = StandInNode(never_asked).live_rooms, 0.0, dict[int, float]()
        for room in rooms:
            self.switch(room)

    def switch(self, room: int) -> None:
        self.now += 1
        if self.since.pop(room, None) is None:
            self.since[room] = self.now
        self.index.observe([OnAir(room, self.since.get(room), 0)])

    def all(self) -> InAll:
        return InAll(self.index.top, self.index.departures)


@given(st.lists(rooms, unique=True), evenings)
def test_in_the_list_of_what_is_live(first: list[int], evening: list[tuple[list[int], int]]) -> None:
    air, shown = Air(*first), list[int]()
    position = air.all()
    for switched, count in [*evening, *[([], 3)] * 4]:
        for room in switched:
            air.switch(room)
        following = position.next(air.index, count)
        assert following is not None
        page, position = following
        assert len(page) <= count and all(air.index.is_live(room) for room in page)
        shown += page
    assert len(shown) == len(set(shown))
    assert {room for room in first if air.index.is_live(room)} <= set(shown) <= set(first)


@given(st.lists(rooms, unique=True), st.lists(rooms, unique=True), evenings)
def test_in_the_list_of_what_is_followed(
    first: list[int], follows: list[int], evening: list[tuple[list[int], int]]
) -> None:
    air, shown, position = Air(*first), list[int](), InFollowed()
    followed = {room: float(-place) for place, room in enumerate(follows)}
    for switched, count in [*evening, *[([], 3)] * 4]:
        for room in switched:
            air.switch(room)
        page, position = position.next(air.index, followed, count)
        position = read_followed(orjson.loads(orjson.dumps(written(position, LIFE))), LIFE)
        shown += page
    assert sorted(shown) == sorted(follows)


def test_the_newest_comes_first() -> None:
    air = Air(3, 1, 2)
    assert air.all().next(air.index, 5) == ([2, 1, 3], InAll((1.0, 3), 0))
    assert InFollowed().next(air.index, {9: 4.0, 3: 3.0, 2: 2.0, 8: 1.0}, 5)[0] == [2, 3, 9, 8]


def test_a_list_is_read_on_by_the_next_control() -> None:
    air = Air(1, 2, 3)
    following = air.all().next(air.index, 1)
    assert following is not None
    again = read_all(orjson.loads(orjson.dumps(written(following[1], LIFE))), "another")
    air.switch(2)
    air.switch(2)
    after = again.next(air.index, 5)
    assert after is not None and after[0] == [2, 1]


def test_a_list_that_fell_out_of_memory_shows_no_room_twice() -> None:
    air, position, shown = Air(1, 2, 3, 4, 5), None, list[int]()
    air.switch(3)
    air.switch(3)  # before the list began
    for _ in range(5):
        following = (position or air.all()).next(air.index, 1)
        assert following is not None
        shown += following[0]
        position = read_all(orjson.loads(orjson.dumps(written(following[1], LIFE))), LIFE)
    assert sorted(shown) == [1, 2, 3, 4, 5]


def test_a_list_that_very_many_have_left_begins_anew() -> None:
    rooms = range(1, MOST_MISSED + 3)
    air = Air(*rooms)
    position = air.all()
    for room in rooms:
        air.switch(room)
    assert position.next(air.index, 5) is None


def test_a_list_that_was_left_too_long_ago_begins_anew() -> None:
    air = Air(1, 2)
    position = air.all()
    for _ in range(LOGGED + 1):
        air.switch(1)
        air.switch(1)
    assert position.next(air.index, 5) is None
