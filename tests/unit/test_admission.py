from __future__ import annotations

import pytest

from control.access.admission import Admission
from control.access.bans import Bans
from control.access.changes import Change, Changed, Changes
from control.access.revocations import Revocations
from control.access.rights import NOTHING_DENIED, Denial, Rights, RightsOfRooms
from control.access.tickets import Keys
from control.access.verdicts import Role
from control.guessing.guesses import Guesses
from control.refusals import Denied
from control.storage.database import Store
from tests.support.rows import VAULT, add_room, add_user
from tests.support.world import HandClock, SeededEntropy

pytestmark = pytest.mark.anyio
LIFETIME = 600


class OneRoom:
    """Admission with one room, and a viewer who is not its owner."""

    def __init__(self, store: Store, clock: HandClock, room: int, viewer: int) -> None:
        self.clock, self.room, self.viewer = clock, room, viewer
        self.rights, self.changes = RightsOfRooms(store, VAULT), Changes()
        self.revocations = Revocations(store=store, rights=self.rights, changes=self.changes, clock=clock)
        self.bans = Bans(store=store, rights=self.rights, changes=self.changes, clock=clock)
        self.admission = Admission(
            keys=Keys({"k1": b"key"}),
            rights=self.rights,
            revocations=self.revocations,
            guesses=Guesses(clock, SeededEntropy(), 10),
            clock=clock,
            lifetime=LIFETIME,
        )

    def issue(self) -> str:
        return self.admission.issue(self.room, self.viewer, 1)

    def verdict(self, ticket: str = "", password: str = "", role: Role = Role.PLAYER) -> str:
        try:
            self.admission.admit(role, self.rights.of(self.room), self.admission.credentials(password, ticket))
        except Denied as denied:
            return denied.reason
        return "ok"


async def opened(store: Store, clock: HandClock, room: int, viewer: int) -> OneRoom:
    made = OneRoom(store, clock, room, viewer)
    await made.rights.load()
    await made.revocations.load()
    await made.bans.load()
    return made


@pytest.fixture
async def one(store: Store) -> OneRoom:
    return await opened(store, HandClock(), await add_room(store, 1), await add_user(store, 2))


async def test_a_ticket_lets_in_until_it_expires(one: OneRoom) -> None:
    ticket = one.issue()
    one.clock.advance(LIFETIME - 0.001)
    assert one.verdict(ticket) == "ok"
    one.clock.advance(0.001)
    assert one.verdict(ticket) == "ticket expired"


async def test_a_password_lets_in_by_role(one: OneRoom) -> None:
    assert one.verdict(password="viewing-pwd") == "ok"
    assert one.verdict(password="anchor-pwd", role=Role.PUBLISHER) == "ok"
    assert one.verdict(password="viewing-pwd", role=Role.PUBLISHER) == "wrong anchor password"


async def test_a_ticket_lets_nobody_publish(one: OneRoom) -> None:
    assert one.verdict(one.issue(), role=Role.PUBLISHER) == "wrong anchor password"


async def test_a_false_ticket_is_not_made_good_by_a_password(one: OneRoom) -> None:
    assert one.verdict("1000001.1.1.1.k1.x", "viewing-pwd") == "not a ticket of ours"


async def test_a_ticket_that_is_given_back_is_void_and_the_next_is_not(one: OneRoom) -> None:
    before = one.issue()
    await one.admission.take_back(one.room, one.viewer)
    assert one.verdict(before) == "ticket given back"
    assert one.verdict(one.issue()) == "ok"


async def test_giving_back_again_within_the_same_moment_voids_again(one: OneRoom) -> None:
    for _ in range(3):
        ticket = one.issue()
        await one.admission.take_back(one.room, one.viewer)
        assert one.verdict(ticket) == "ticket given back"


async def test_a_clock_that_is_set_back_brings_no_ticket_back(one: OneRoom) -> None:
    before = one.issue()
    await one.admission.take_back(one.room, one.viewer)
    one.clock.jump(-3600)
    assert one.verdict(before) == "ticket given back"
    assert one.verdict(one.issue()) == "ok"


async def test_a_ticket_can_be_given_back_after_the_clock_was_set_back(one: OneRoom) -> None:
    before = one.issue()
    one.clock.jump(-3600)
    await one.admission.take_back(one.room, one.viewer)
    assert one.verdict(before) == "ticket given back"
    assert one.verdict(one.issue()) == "ok"


async def test_tickets_of_others_stay_good(one: OneRoom) -> None:
    others = one.admission.issue(one.room, one.viewer + 1, 1)
    await one.admission.take_back(one.room, one.viewer)
    assert one.verdict(others) == "ok"


async def test_what_was_given_back_is_void_after_a_restart(one: OneRoom, store: Store) -> None:
    ticket = one.issue()
    await one.admission.take_back(one.room, one.viewer)
    again = await opened(store, one.clock, one.room, one.viewer)
    assert again.verdict(ticket) == "ticket given back"
    assert again.verdict(again.issue()) == "ok"


async def test_what_has_expired_by_itself_is_not_kept(one: OneRoom, store: Store) -> None:
    await one.admission.take_back(one.room, one.viewer)
    one.clock.advance(LIFETIME + 1)
    again = await opened(store, one.clock, one.room, one.viewer)
    room = again.rights.of(one.room)
    assert room is not None and room.denied(one.viewer) == NOTHING_DENIED


async def test_owners_are_no_viewers_of_their_own_room(one: OneRoom) -> None:
    rights = one.rights.of(one.room)
    assert rights is not None
    own = one.admission.credentials("", one.admission.issue(one.room, rights.owner_id, 1))
    assert not one.admission.is_viewer(rights, own)
    assert one.admission.is_viewer(rights, one.admission.credentials("", one.issue()))
    assert one.admission.is_viewer(rights, one.admission.credentials("viewing-pwd", ""))


async def test_a_ban_that_is_lifted_leaves_nothing_denied(one: OneRoom) -> None:
    def room() -> Rights:
        found = one.rights.of(one.room)
        assert found is not None
        return found

    ticket = one.issue()
    await one.bans.ban(room(), one.viewer, 60)
    assert one.verdict(ticket) == "banned"
    await one.bans.lift(room(), one.viewer)
    assert one.verdict(ticket) == "ok"
    assert room().denials == {}


@pytest.mark.parametrize("what", ["ban", "lift", "take back"])
async def test_what_is_written_is_announced_once_it_holds(one: OneRoom, what: str) -> None:
    room, heard = one.rights.of(one.room), list[tuple[Change, Denial]]()
    assert room is not None
    if what == "lift":
        await one.bans.ban(room, one.viewer, 60)

    async def listen(change: Change) -> None:
        now = one.rights.of(change.room_id)
        assert now is not None
        heard.append((change, now.denied(one.viewer)))

    one.changes.listen(listen)
    room = one.rights.of(one.room)
    assert room is not None
    match what:
        case "ban":
            await one.bans.ban(room, one.viewer, 60)
        case "lift":
            await one.bans.lift(room, one.viewer)
        case _:
            await one.admission.take_back(one.room, one.viewer)
    [(change, denial)] = heard
    assert change == Change(Changed.TICKETS if what == "take back" else Changed.BANS, one.room)
    assert (denial == NOTHING_DENIED) == (what == "lift")
