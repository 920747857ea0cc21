from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from control.access.verdicts import Credentials, Role, TicketClaims
from control.live.audience import Audience, RoomNow
from control.live.broadcasts import Broadcasts
from control.live.heartbeats import LIFETIME, Heartbeats
from control.live.presence import Presence, Session, SessionKey
from tests.support.world import HandClock

ROOM = 1000001
GAP = 10


@dataclass
class OneNode:
    clock: HandClock = field(default_factory=HandClock)

    def __post_init__(self) -> None:
        self.presence = Presence(self.clock)
        self.presence.changed.clear()
        self.heartbeats = Heartbeats(self.clock, self.presence.changed)
        self.broadcasts = Broadcasts(self.clock, GAP)
        self.audience = Audience(self.presence, self.heartbeats)
        self.rooms: dict[int, RoomNow] = {}

    def push(self, client: int = 1, timestamp: int = 500) -> None:
        session = self._session(client, Role.PUBLISHER)
        self.presence.hear(session.key, timestamp)

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
        """When the broadcast that is on air began."""
        return next((since for _, since, _ in self.on_air()), None)

    def on_air(self) -> list[tuple[int, float | None, int]]:
        """Each room, when its broadcast began, and its players."""
        self.rooms |= {room_id: self.audience.room(room_id) for room_id in self.audience.changed(100)}
        self.broadcasts.observe(self.rooms.values())
        there = [room for room in self.rooms.values() if room.publisher or room.players]
        return [(room.room_id, self._began(room), room.players) for room in there]

    def _began(self, room: RoomNow) -> float | None:
        broadcast = self.broadcasts.of_room(room.room_id)
        return broadcast.started_at if broadcast and room.publisher else None


def showing(user: int) -> Credentials:
    return Credentials(ticket=TicketClaims(ROOM, user, 1, 2**50))


@pytest.fixture
def node() -> OneNode:
    return OneNode()


def test_nobody_is_nowhere(node: OneNode) -> None:
    assert node.on_air() == []


def test_a_room_is_live_since_its_first_media(node: OneNode) -> None:
    node.push(timestamp=0)
    assert node.on_air() == []
    node.push()
    assert node.on_air() == [(ROOM, node.clock.now(), 0)]


def test_players_wait_in_a_room_that_is_not_live(node: OneNode) -> None:
    node.play(2)
    assert node.on_air() == [(ROOM, None, 1)]


def test_players_are_counted_but_not_publishers_and_owners(node: OneNode) -> None:
    node.push(1)
    node.play(2)
    node.play(3)
    node.play(4, counted=False)
    assert node.on_air()[0][2] == 2


def test_a_gap_is_off_air_and_keeps_the_beginning(node: OneNode) -> None:
    node.push()
    began = node.since()
    node.clock.advance(100)
    node.end()
    assert node.since() is None
    node.clock.advance(GAP)
    node.push()
    assert node.since() == began


def test_a_longer_gap_begins_a_new_broadcast(node: OneNode) -> None:
    node.push()
    node.on_air()
    node.end()
    node.on_air()
    node.clock.advance(GAP + 1)
    node.push()
    assert node.since() == node.clock.now()


@pytest.mark.parametrize("waiting", [False, True])
def test_an_end_is_forgotten_after_the_gap(node: OneNode, waiting: bool) -> None:
    node.push()
    node.on_air()
    node.end()
    if waiting:
        node.play(2)
    node.on_air()
    node.clock.advance(GAP + 1)
    node.on_air()
    node.push()
    assert node.since() == node.clock.now()


def test_a_second_gap_is_measured_afresh(node: OneNode) -> None:
    node.push()
    began = node.since()
    for _ in range(3):
        node.end()
        node.on_air()
        node.clock.advance(GAP - 1)
        node.push()
        assert node.since() == began


def test_somebody_who_sets_the_wall_clock_ends_nothing(node: OneNode) -> None:
    node.push()
    began = node.since()
    node.end()
    node.on_air()
    node.clock.jump(3600)
    node.push()
    assert node.since() == began


def test_a_viewer_over_hls_is_counted(node: OneNode) -> None:
    node.heartbeats.beat(ROOM, 7, showing(7))
    node.heartbeats.beat(ROOM, 7, showing(7))
    node.heartbeats.beat(ROOM, 8, showing(8))
    assert node.on_air() == [(ROOM, None, 2)]


def test_a_viewer_over_both_ways_is_one(node: OneNode) -> None:
    node.play(2, user=7)
    node.play(3)
    node.heartbeats.beat(ROOM, 7, showing(7))
    assert node.on_air()[0][2] == 2


def test_a_viewer_over_hls_is_forgotten_in_time(node: OneNode) -> None:
    node.heartbeats.beat(ROOM, 7, showing(7))
    node.clock.advance(LIFETIME)
    node.heartbeats.expire()
    assert node.on_air()[0][2] == 1
    node.presence.changed.clear()
    node.clock.advance(1)
    node.heartbeats.expire()
    assert node.presence.changed.is_set()
    assert node.on_air() == []


def test_the_last_that_was_shown_is_what_counts(node: OneNode) -> None:
    node.heartbeats.beat(ROOM, 7, showing(7))
    node.presence.changed.clear()
    again = Credentials(ticket=TicketClaims(ROOM, 7, 2, 2**50))
    node.heartbeats.beat(ROOM, 7, again)
    assert node.heartbeats.in_room(ROOM)[7].shown == again
    assert not node.presence.changed.is_set()


def test_an_end_of_nobody_over_hls_is_no_change(node: OneNode) -> None:
    node.heartbeats.end(ROOM, 7)
    assert not node.presence.changed.is_set()
    assert not list(node.heartbeats.rooms())


def test_a_viewer_is_found_by_id_whether_or_not_it_was_told(node: OneNode) -> None:
    for client in (2, 3):
        node.play(client, user=client)
    _, viewers = Audience(node.presence, node.heartbeats).viewers(ROOM, 10)
    for audience in (node.audience, Audience(node.presence, node.heartbeats)):
        assert [audience.viewer(ROOM, viewer.id) for viewer in viewers] == viewers
        assert audience.viewer(ROOM + 1, viewers[0].id) is None
        audience.viewers(ROOM, 10)


def test_a_viewer_who_has_left_is_not_found(node: OneNode) -> None:
    node.play(2, user=7)
    _, [viewer] = node.audience.viewers(ROOM, 10)
    node.end(2)
    assert node.audience.viewer(ROOM, viewer.id) is None


def test_of_ids_that_were_told_a_bounded_number_is_known(node: OneNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("control.live.audience.TOLD", 2)
    for client in range(2, 6):
        node.play(client, user=client)
    _, viewers = node.audience.viewers(ROOM, 10)
    assert len(node.audience._told) == 2
    assert [node.audience.viewer(ROOM, viewer.id) for viewer in viewers] == viewers
