from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from control.access.verdicts import Role
from control.clock import Epoch, Ticks
from control.live.audience import RoomNow
from control.live.broadcasts import REMEMBERED, Broadcast, Broadcasts
from control.live.presence import Session, SessionKey
from control.live.states import Ending
from tests.support.world import HandClock

ROOM, GAP, SAID_EVERY = 1000001, 10, 5


@dataclass
class Room:
    clock: HandClock = field(default_factory=HandClock)
    clients: int = 0

    def __post_init__(self) -> None:
        self.broadcasts = Broadcasts(self.clock, GAP)
        self.publisher = self.comes()

    def comes(self, ago: float = 0) -> Session:
        """Another publisher, or one that nginx has had for some seconds."""
        self.clients += 1
        key, since = SessionKey("local", "s1", self.clients), self.clock.ticks() - ago
        self.publisher = Session(key, Role.PUBLISHER, ROOM, "192.0.2.7", Ticks(since), encoder="obs")
        return self.publisher

    def on(self, *viewers: str, players: int | None = None) -> Broadcast:
        count = len(viewers) if players is None else players
        self.broadcasts.observe([RoomNow(ROOM, self.publisher, count, count, set(viewers), set(viewers))])
        broadcast = self.broadcasts.of_room(ROOM)
        assert broadcast is not None
        return broadcast

    def leaves(self, how: Ending | None = Ending.LEFT) -> None:
        self.publisher.ending, self.publisher.over_at = how, self.clock.ticks()

    def off(self, how: Ending | None = Ending.LEFT) -> None:
        self.leaves(how)
        self.broadcasts.observe([RoomNow(ROOM, None, 0, 0, set(), set())])

    def written(self) -> list[Broadcast]:
        rows = self.broadcasts.unsaved()
        self.broadcasts.saved(rows)
        return rows


@pytest.fixture
def room() -> Room:
    return Room()


def test_one_that_goes_on_is_written_each_time(room: Room) -> None:
    first = room.on()
    assert room.written() == [first]
    room.clock.advance(5)
    assert room.on() is first
    assert room.written() == [first]
    assert (first.started_at, first.seen_at) == (room.clock.now() - 5, room.clock.now())
    assert room.written() == []


@pytest.mark.parametrize("how", Ending)
def test_it_is_told_how_it_ended(room: Room, how: Ending) -> None:
    broadcast = room.on()
    room.clock.advance(60)
    room.off(how)
    assert (broadcast.ended_at, broadcast.ending) == (room.clock.now(), how)


def test_a_gap_is_no_end(room: Room) -> None:
    broadcast = room.on()
    room.off()
    room.clock.advance(GAP)
    room.comes()
    assert room.on() is broadcast
    assert (broadcast.ended_at, broadcast.ending) == (None, None)


def test_after_a_longer_gap_it_is_another_and_the_first_is_closed(room: Room) -> None:
    first = room.on()
    room.off()
    room.written()
    room.clock.advance(GAP + 1)
    room.comes()
    second = room.on()
    assert second.started_at == room.clock.now()
    assert room.written() == [first, second]
    assert (first.closed, second.closed) == (True, False)


def test_what_nginx_had_all_along_goes_on(room: Room) -> None:
    broadcast = room.on()
    room.off(Ending.LOST)  # a lease that ran out while nginx could not be heard
    room.clock.advance(REMEMBERED)
    room.comes(ago=REMEMBERED)
    assert room.on() is broadcast


def test_it_is_closed_when_it_can_no_longer_go_on(room: Room) -> None:
    broadcast = room.on()
    room.off()
    room.written()
    room.clock.advance(REMEMBERED + 1)
    room.broadcasts.observe([])
    assert room.written() == [broadcast]
    assert broadcast.closed
    room.broadcasts.observe([])
    assert room.written() == []


def test_viewers_are_told_apart_and_written_once(room: Room) -> None:
    broadcast = room.on("7", "8")
    assert broadcast.new_viewers == {"7", "8"}
    room.written()
    room.on("7")
    room.on("7", "9", players=3)
    assert (broadcast.new_viewers, broadcast.viewers, broadcast.peak) == ({"9"}, {"7", "8", "9"}, 3)


def test_watching_is_added_up_while_it_is_on_air(room: Room) -> None:
    broadcast = room.on("7", "8")
    room.clock.advance(10)
    room.on("7")
    room.clock.advance(5)
    room.off()
    assert broadcast.watch_seconds == 2 * 10 + 5
    room.clock.advance(GAP)
    room.comes()
    room.on("7", "8", "9")
    room.clock.jump(3600)
    room.clock.advance(1)
    room.off()
    assert broadcast.watch_seconds == 25 + 3


def resumed(room: Room, ago: float, **more: Any) -> Broadcast:
    """One that a control before this one saw last so many seconds ago."""
    at = room.clock.now() - ago
    broadcast = Broadcast(ROOM, Epoch(at - 100), Ticks(0.0), Epoch(at), **more)
    room.broadcasts.resume(broadcast, SAID_EVERY)
    return broadcast


def test_after_a_restart_it_goes_on_with_the_publisher_that_was_there(room: Room) -> None:
    broadcast = resumed(room, ago=300, peak=5, watch_seconds=50.0)
    room.comes(ago=400)
    assert room.on("7") is broadcast
    assert (broadcast.ended_at, broadcast.peak, broadcast.watch_seconds) == (None, 5, 50.0)


def test_after_a_restart_it_goes_on_with_a_publisher_that_is_back_in_time(room: Room) -> None:
    broadcast = resumed(room, ago=SAID_EVERY + GAP)
    assert room.on() is broadcast


def test_after_a_restart_one_that_came_later_is_another(room: Room) -> None:
    broadcast = resumed(room, ago=300)  # and what began just before the restart was not written down
    room.comes(ago=60)
    assert room.on() is not broadcast


def test_after_a_restart_it_has_ended_when_it_was_seen_last(room: Room) -> None:
    broadcast = resumed(room, ago=SAID_EVERY + GAP + 1)
    assert (broadcast.ended_at, broadcast.ending) == (room.clock.now() - 16, Ending.LOST)
    assert room.on() is not broadcast
    assert broadcast in room.written()


def test_after_a_restart_a_known_end_stays(room: Room) -> None:
    ended = room.clock.now() - 3
    broadcast = resumed(room, ago=3, ended_at=ended, ending=Ending.GATE)
    room.broadcasts.observe([])
    assert (broadcast.ended_at, broadcast.ending) == (ended, Ending.GATE)


def test_a_wall_clock_that_was_set_back_ends_nothing(room: Room) -> None:
    broadcast = resumed(room, ago=-3600)
    assert room.on() is broadcast


def test_after_a_restart_the_same_publisher_goes_on_whatever_the_clock_says(room: Room) -> None:
    broadcast = resumed(room, ago=3600, publisher="local.s1.7")
    room.clients = 6
    room.comes()
    assert room.on() is broadcast


@pytest.mark.parametrize("jump", [3600, -3600])
def test_a_clock_that_is_set_makes_it_no_longer_and_no_shorter(room: Room, jump: int) -> None:
    broadcast = room.on()
    room.clock.advance(30)
    room.clock.jump(jump)
    room.clock.advance(30)
    room.on()
    room.off()
    assert (broadcast.ended_at, broadcast.seen_at) == (broadcast.started_at + 60, broadcast.started_at + 60)


def test_a_gap_is_as_long_as_it_was_and_not_as_it_was_seen(room: Room) -> None:
    first = room.on("7")
    room.clock.advance(5)
    room.leaves()
    room.clock.advance(GAP + 1)  # nobody looks: the database is locked
    room.comes()
    assert room.on() is not first
    assert (first.ended_at, first.ending, first.watch_seconds) == (first.started_at + 5, Ending.LEFT, 5)


def test_of_two_open_rows_of_a_room_the_older_is_closed(room: Room) -> None:
    older, newer = resumed(room, ago=1000), resumed(room, ago=1)
    assert room.written() == [older, newer]
    assert (older.closed, newer.closed) == (True, False)


def test_it_starts_with_its_first_publisher(room: Room) -> None:
    came = room.publisher.since
    room.clock.advance(2)
    room.on()
    room.clock.advance(5)
    room.off()
    room.clock.advance(GAP)
    assert room.broadcasts.media_since(room.comes()) == came


@pytest.mark.parametrize("seen", [True, False])
def test_another_starts_with_its_own(room: Room, seen: bool) -> None:
    room.on()
    (room.off if seen else room.leaves)()  # where the database is locked, nobody looks
    room.clock.advance(GAP + 1)
    again = room.comes()
    assert room.broadcasts.media_since(again) == again.since
    room.on()
    assert room.broadcasts.media_since(again) == again.since


def test_one_that_is_not_known_yet_starts_with_its_publisher(room: Room) -> None:
    assert room.broadcasts.media_since(room.comes(ago=3)) == room.clock.ticks() - 3


def test_after_a_restart_it_starts_where_it_did(room: Room) -> None:
    resumed(room, ago=1)
    start = room.broadcasts.media_since(room.publisher)
    assert start < room.publisher.since
    room.on()
    assert room.broadcasts.media_since(room.publisher) == start
