from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from control.live.audience import Audience, OnAir
from control.live.broadcasts import Broadcasts
from control.live.heartbeats import LIFETIME, Heartbeats
from control.live.presence import Presence, Session, SessionKey
from control.live.verdicts import Credentials, Pass, Role
from tests.support.world import HandClock

ROOM = 1000001
GAP = 10


@dataclass
class House:
    clock: HandClock = field(default_factory=HandClock)

    def __post_init__(self) -> None:
        self.presence = Presence(self.clock)
        self.presence.changed.clear()
        self.heartbeats = Heartbeats(self.clock, self.presence.changed)
        self.broadcasts = Broadcasts(self.clock, GAP)
        self.audience = Audience(self.presence, self.heartbeats, self.broadcasts)

    def push(self, client: int = 1, timestamp: int = 500) -> None:
        session = self._session(client, Role.PUBLISHER)
        self.presence.hear(session, timestamp)

    def play(self, client: int, counted: bool = True, user: int | None = None) -> None:
        self._session(client, Role.PLAYER, counted, user)

    def end(self, client: int = 1) -> None:
        self.presence.end(SessionKey("local", "s1", client))

    def _session(self, client: int, role: Role, counted: bool = True, user: int | None = None) -> Session:
        key, shown = SessionKey("local", "s1", client), showing(user) if user else None
        session = Session(key, role, ROOM, "192.0.2.7", self.clock.ticks(), shown, counted)
        self.presence.admit(session)
        return session

    def since(self) -> float | None:
        return next((room.live_since for room in self.audience.on_air()), None)


def showing(user: int) -> Credentials:
    return Credentials(ticket=Pass(ROOM, user, 1, 2**50))


@pytest.fixture
def house() -> House:
    return House()


def test_nobody_is_nowhere(house: House) -> None:
    assert house.audience.on_air() == []


def test_a_room_is_live_since_its_first_media(house: House) -> None:
    house.push(timestamp=0)
    assert house.audience.on_air() == []
    house.push()
    assert house.audience.on_air() == [OnAir(ROOM, house.clock.now(), 0)]


def test_players_wait_in_a_room_that_is_not_live(house: House) -> None:
    house.play(2)
    assert house.audience.on_air() == [OnAir(ROOM, None, 1)]


def test_players_are_counted_but_not_publishers_and_owners(house: House) -> None:
    house.push(1)
    house.play(2)
    house.play(3)
    house.play(4, counted=False)
    assert house.audience.on_air()[0].players == 2


def test_a_gap_is_off_air_and_keeps_the_beginning(house: House) -> None:
    house.push()
    began = house.since()
    house.clock.advance(100)
    house.end()
    assert house.since() is None
    house.clock.advance(GAP)
    house.push()
    assert house.since() == began


def test_a_longer_gap_begins_a_new_broadcast(house: House) -> None:
    house.push()
    house.audience.on_air()
    house.end()
    house.audience.on_air()
    house.clock.advance(GAP + 1)
    house.push()
    assert house.since() == house.clock.now()


@pytest.mark.parametrize("waiting", [False, True])
def test_an_end_is_forgotten_after_the_gap(house: House, waiting: bool) -> None:
    house.push()
    house.audience.on_air()
    house.end()
    if waiting:
        house.play(2)
    house.audience.on_air()
    house.clock.advance(GAP + 1)
    house.audience.on_air()
    house.push()
    assert house.since() == house.clock.now()


def test_a_second_gap_is_measured_afresh(house: House) -> None:
    house.push()
    began = house.since()
    for _ in range(3):
        house.end()
        house.audience.on_air()
        house.clock.advance(GAP - 1)
        house.push()
        assert house.since() == began


def test_somebody_who_sets_the_wall_clock_ends_nothing(house: House) -> None:
    house.push()
    began = house.since()
    house.end()
    house.audience.on_air()
    house.clock.jump(3600)
    house.push()
    assert house.since() == began


def test_a_viewer_over_hls_is_counted(house: House) -> None:
    house.heartbeats.beat(ROOM, 7, showing(7))
    house.heartbeats.beat(ROOM, 7, showing(7))
    house.heartbeats.beat(ROOM, 8, showing(8))
    assert house.audience.on_air() == [OnAir(ROOM, None, 2)]


def test_a_viewer_over_both_ways_is_one(house: House) -> None:
    house.play(2, user=7)
    house.play(3)
    house.heartbeats.beat(ROOM, 7, showing(7))
    assert house.audience.on_air()[0].players == 2


def test_a_viewer_over_hls_is_forgotten_in_time(house: House) -> None:
    house.heartbeats.beat(ROOM, 7, showing(7))
    house.clock.advance(LIFETIME)
    house.heartbeats.expire()
    assert house.audience.on_air()[0].players == 1
    house.presence.changed.clear()
    house.clock.advance(1)
    house.heartbeats.expire()
    assert house.presence.changed.is_set()
    assert house.audience.on_air() == []


def test_the_last_that_was_shown_is_what_counts(house: House) -> None:
    house.heartbeats.beat(ROOM, 7, showing(7))
    house.presence.changed.clear()
    again = Credentials(ticket=Pass(ROOM, 7, 2, 2**50))
    house.heartbeats.beat(ROOM, 7, again)
    assert house.heartbeats.in_room(ROOM)[7].shown == again
    assert not house.presence.changed.is_set()


def test_an_end_of_nobody_over_hls_is_no_change(house: House) -> None:
    house.heartbeats.end(ROOM, 7)
    assert not house.presence.changed.is_set()
    assert not list(house.heartbeats.rooms())
