from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from control.access.verdicts import Role
from control.clock import Ticks
from control.live.presence import REMEMBERED, Presence, Session, SessionKey
from control.live.states import MOVES, Ending, Event, State
from control.live.stream_info import StreamInfo
from tests.support.world import HandClock

ROOM = 1000001


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def presence(clock: HandClock) -> Presence:
    made = Presence(clock)
    made.changed.clear()
    return made


def key(client: int = 1, start: str = "s1") -> SessionKey:
    return SessionKey("local", start, client)


def session(client: int = 1, role: Role = Role.PLAYER, room: int = ROOM, since: float = 1000.0) -> Session:
    return Session(key(client), role, room, "192.0.2.7", Ticks(since))


def test_who_is_admitted_is_here(presence: Presence) -> None:
    one, other = session(1), session(2, room=ROOM + 1)
    presence.admit(one)
    presence.admit(other)
    assert presence.get(key(1)) is one
    assert presence.all() == [one, other]
    assert presence.in_room(ROOM) == [one]
    assert set(presence.rooms()) == {ROOM, ROOM + 1}


def test_who_is_admitted_twice_is_here_once(presence: Presence) -> None:
    presence.admit(session())
    presence.admit(session())
    assert len(presence.all()) == len(presence.in_room(ROOM)) == 1


def test_who_ended_is_gone_with_the_room(presence: Presence) -> None:
    one = session()
    presence.admit(one)
    presence.end(key())
    assert one.over_at is not None
    assert presence.get(key()) is None
    assert (presence.all(), presence.in_room(ROOM), list(presence.rooms())) == ([], [], [])


def test_an_end_leaves_others_of_the_room(presence: Presence) -> None:
    presence.admit(session(1))
    presence.admit(session(2))
    presence.end(key(1))
    assert [each.key.client for each in presence.in_room(ROOM)] == [2]


def test_the_same_number_of_another_nginx_is_another(presence: Presence) -> None:
    presence.admit(session())
    presence.end(key(start="s2"))
    assert presence.get(key()) is not None


def test_an_end_is_remembered_for_a_time(presence: Presence, clock: HandClock) -> None:
    presence.admit(session())
    presence.end(key())
    assert presence.ended_at(key()) == clock.ticks()
    clock.advance(REMEMBERED - 1)
    presence.forget()
    assert presence.ended_at(key()) is not None
    clock.advance(1)
    presence.forget()
    assert presence.ended_at(key()) is None


def test_an_end_that_comes_first_is_told_once(presence: Presence) -> None:
    presence.end(key())
    assert presence.ended_early(key())
    assert not presence.ended_early(key())


def test_an_end_in_time_is_not_early(presence: Presence) -> None:
    presence.admit(session())
    presence.end(key())
    assert not presence.ended_early(key())


def test_an_early_end_is_not_waited_with_for_ever(presence: Presence, clock: HandClock) -> None:
    presence.end(key())
    clock.advance(REMEMBERED)
    presence.forget()
    assert not presence.ended_early(key())


def test_a_player_is_not_live(presence: Presence) -> None:
    player = session()
    presence.admit(player)
    presence.hear(player.key, 500, active=True)
    assert not player.live


@pytest.mark.parametrize(
    ("timestamp", "active", "live"), [(0, False, False), (500, False, True), (0, True, True), (500, True, True)]
)
def test_a_publisher_is_live_from_its_first_media(presence: Presence, timestamp: int, active: bool, live: bool) -> None:
    publisher = session(role=Role.PUBLISHER)
    presence.admit(publisher)
    presence.changed.clear()
    presence.hear(publisher.key, timestamp, active)
    assert publisher.live is live
    assert presence.changed.is_set() is live


def test_silence_is_told_from_media_by_the_timestamp(presence: Presence, clock: HandClock) -> None:
    publisher = session(role=Role.PUBLISHER)
    presence.admit(publisher)
    presence.hear(publisher.key, 500)
    heard = clock.ticks()
    clock.advance(2)
    presence.hear(publisher.key, 500, active=True)
    assert (publisher.media_at, publisher.heard_at) == (heard, clock.ticks())
    presence.hear(publisher.key, 300)  # an encoder that starts its time again
    assert publisher.media_at == clock.ticks()


def test_more_media_changes_nothing_that_is_shown(presence: Presence) -> None:
    publisher = session(role=Role.PUBLISHER)
    presence.admit(publisher)
    presence.hear(publisher.key, 500)
    presence.changed.clear()
    presence.hear(publisher.key, 900)
    assert not presence.changed.is_set()


def test_the_publisher_of_a_room_is_found(presence: Presence) -> None:
    publisher = session(2, Role.PUBLISHER)
    presence.admit(session(1))
    assert presence.publisher(ROOM) is None
    presence.admit(publisher)
    assert presence.publisher(ROOM) is publisher
    assert presence.publisher(ROOM + 1) is None


def test_coming_and_going_are_changes(presence: Presence) -> None:
    presence.admit(session())
    assert presence.changed.is_set()
    presence.changed.clear()
    presence.end(key())
    assert presence.changed.is_set()


def test_an_end_of_nobody_is_no_change(presence: Presence) -> None:
    presence.end(key())
    assert not presence.changed.is_set()


def in_state(presence: Presence, state: State) -> Session:
    """A publisher that has come to that state the usual way."""
    publisher = session(role=Role.PUBLISHER)
    presence.admit(publisher)
    if state is not State.ADMITTED:
        presence.hear(publisher.key, 500)
    if state is State.ENDING:
        presence.condemn(publisher.key, Ending.GATE)
    return publisher


EVENTS = [Event.MEDIA, Event.CONDEMNED, Event.SPARED, Event.ENDED]


def happen(presence: Presence, event: Event, to: SessionKey, timestamp: int = 900) -> None:
    match event:
        case Event.MEDIA:
            presence.hear(to, timestamp)
        case Event.CONDEMNED:
            presence.condemn(to, Ending.SILENT)
        case Event.SPARED:
            presence.spare(to)
        case _:
            presence.end(to)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.value)
@pytest.mark.parametrize("state", [State.ADMITTED, State.LIVE, State.ENDING], ids=lambda state: state.value)
def test_a_session_moves_as_the_table_says(presence: Presence, state: State, event: Event) -> None:
    publisher = in_state(presence, state)
    happen(presence, event, publisher.key)
    assert publisher.state is MOVES.get((state, event), state)


def test_a_publisher_that_is_spared_before_its_media_is_only_admitted(presence: Presence) -> None:
    publisher = in_state(presence, State.ADMITTED)
    presence.condemn(publisher.key, Ending.SILENT)
    presence.spare(publisher.key)
    assert (publisher.state, publisher.ending) == (MOVES[State.ENDING, Event.SPARED_BEFORE_MEDIA], None)


def test_every_state_can_be_left_and_over_cannot() -> None:
    assert {state for state, _ in MOVES} == set(State) - {State.OVER}
    assert all((state, Event.ENDED) in MOVES for state, _ in MOVES)


def test_the_first_reason_to_go_stays(presence: Presence) -> None:
    publisher = in_state(presence, State.ENDING)
    presence.condemn(publisher.key, Ending.SILENT)
    presence.end(publisher.key, Ending.LOST)
    assert publisher.ending is Ending.GATE


def test_what_is_not_held_any_more_is_left_as_it_is(presence: Presence) -> None:
    publisher = in_state(presence, State.LIVE)
    presence.end(publisher.key)
    before = replace(publisher)
    for happens in (presence.spare, presence.hear, lambda gone: presence.condemn(gone, Ending.GATE)):
        happens(publisher.key)
    assert publisher == before


@pytest.mark.anyio
async def test_an_end_is_waited_for_and_no_longer_than_asked(presence: Presence, clock: HandClock) -> None:
    publisher = in_state(presence, State.LIVE)
    waiting, patient = (asyncio.create_task(presence.over(publisher.key, within)) for within in (1, 5))
    await asyncio.sleep(0)
    clock.advance(1)
    assert not await asyncio.wait_for(waiting, 2)
    presence.end(publisher.key)
    assert await asyncio.wait_for(patient, 2)
    assert await presence.over(publisher.key, 0)


@pytest.mark.parametrize(
    ("video", "sound", "timestamp", "alone"),
    [
        ("", "AAC", 2000, True),
        ("", "AAC", 1999, False),  # video may follow
        ("H264", "AAC", 60000, False),
        ("H264", "", 60000, False),
        ("", "", 60000, False),
    ],
)
def test_sound_alone_is_told_from_what_may_have_a_picture(
    presence: Presence, clock: HandClock, video: str, sound: str, timestamp: int, alone: bool
) -> None:
    one = session(role=Role.PUBLISHER)
    presence.admit(one)
    presence.hear(key(), timestamp, True, StreamInfo(0, 0, 0, 0.0, video, sound))
    assert one.sound_alone_at == (clock.ticks() if alone else None)


def test_of_two_publishers_the_live_one_counts(presence: Presence) -> None:
    for client in (1, 2):
        presence.admit(session(client, Role.PUBLISHER))
    assert presence.publisher(ROOM) is presence.get(key(1))
    presence.hear(key(2), 500)
    assert presence.publisher(ROOM) is presence.get(key(2))


class Lives(RuleBasedStateMachine):
    """Whatever happens to whichever session, in whatever order: each is where the table has it."""

    clients = st.integers(1, 3)

    def __init__(self) -> None:
        super().__init__()
        self.presence = Presence(HandClock())
        self.expected: dict[int, State] = {}
        self.had_media: set[int] = set()
        self.timestamp = 0

    @rule(client=clients)
    def comes(self, client: int) -> None:
        if client not in self.expected:
            self.presence.admit(session(client, Role.PUBLISHER))
            self.expected[client] = State.ADMITTED
            self.had_media.discard(client)

    @rule(client=clients, event=st.sampled_from(EVENTS))
    def happens(self, client: int, event: Event) -> None:
        self.timestamp += 40
        happen(self.presence, event, key(client), self.timestamp)
        if client not in self.expected:
            return
        if event is Event.MEDIA:
            self.had_media.add(client)
        elif event is Event.SPARED and client not in self.had_media:
            event = Event.SPARED_BEFORE_MEDIA
        state = self.expected[client]
        self.expected[client] = MOVES.get((state, event), state)
        if self.expected[client] is State.OVER:
            del self.expected[client]

    @invariant()
    def all_are_where_the_table_has_them(self) -> None:
        assert {each.key.client: each.state for each in self.presence.all()} == self.expected
        assert {each.key.client for each in self.presence.publishers()} == self.expected.keys()


TestLives = Lives.TestCase
TestLives.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
