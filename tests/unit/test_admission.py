from __future__ import annotations

import pytest

from control.access.admission import Admission
from control.access.bans import Bans
from control.access.changes import Change, Changed, Changes
from control.access.revocations import Revocations
from control.access.rights import NOTHING_DENIED, Denial, Rights, RightsOfRooms
from control.access.tickets import Keys
from control.access.verdicts import Role
from control.refusals import Denied
from control.storage.database import Store
from tests.support.rows import add_room, add_user
from tests.support.world import HandClock

pytestmark = pytest.mark.anyio
LIFETIME = 600


class Office:
    """Admission with one room, and a viewer who is not its owner."""

    def __init__(self, store: Store, clock: HandClock, room: int, viewer: int) -> None:
        self.clock, self.room, self.viewer = clock, room, viewer
        self.rights, self.changes = RightsOfRooms(store), Changes()
        self.revocations = Revocations(store=store, rights=self.rights, changes=self.changes, clock=clock)
        self.bans = Bans(store=store, rights=self.rights, changes=self.changes, clock=clock)
        self.admission = Admission(
            keys=Keys({"k1": b"key"}),
            rights=self.rights,
            revocations=self.revocations,
            clock=clock,
            lifetime=LIFETIME,
        )

    def issue(self) -> str:
        return self.admission.issue(self.room, self.viewer, 1)

    def said(self, ticket: str = "", password: str = "", role: Role = Role.PLAYER) -> str:
        try:
            self.admission.admit(role, self.rights.of(self.room), self.admission.credentials(password, ticket))
        except Denied as denied:
            return denied.reason
        return "ok"


async def opened(store: Store, clock: HandClock, room: int, viewer: int) -> Office:
    made = Office(store, clock, room, viewer)
    await made.rights.load()
    await made.revocations.load()
    await made.bans.load()
    return made


@pytest.fixture
async def office(store: Store) -> Office:
    return await opened(store, HandClock(), await add_room(store, 1), await add_user(store, 2))


async def test_a_ticket_lets_in_until_it_expires(office: Office) -> None:
    ticket = office.issue()
    office.clock.advance(LIFETIME - 0.001)
    assert office.said(ticket) == "ok"
    office.clock.advance(0.001)
    assert office.said(ticket) == "ticket expired"


async def test_a_password_lets_in_by_role(office: Office) -> None:
    assert office.said(password="viewing-pwd") == "ok"
    assert office.said(password="anchor-pwd", role=Role.PUBLISHER) == "ok"
    assert office.said(password="viewing-pwd", role=Role.PUBLISHER) == "wrong anchor password"


async def test_a_ticket_lets_nobody_publish(office: Office) -> None:
    assert office.said(office.issue(), role=Role.PUBLISHER) == "wrong anchor password"


async def test_a_false_ticket_is_not_made_good_by_a_password(office: Office) -> None:
    assert office.said("1000001.1.1.1.k1.x", "viewing-pwd") == "not a ticket of ours"


async def test_a_ticket_that_is_given_back_is_void_and_the_next_is_not(office: Office) -> None:
    before = office.issue()
    await office.admission.take_back(office.room, office.viewer)
    assert office.said(before) == "ticket given back"
    assert office.said(office.issue()) == "ok"


async def test_giving_back_again_within_the_same_moment_voids_again(office: Office) -> None:
    for _ in range(3):
        ticket = office.issue()
        await office.admission.take_back(office.room, office.viewer)
        assert office.said(ticket) == "ticket given back"


async def test_a_clock_that_is_set_back_brings_no_ticket_back(office: Office) -> None:
    before = office.issue()
    await office.admission.take_back(office.room, office.viewer)
    office.clock.jump(-3600)
    assert office.said(before) == "ticket given back"
    assert office.said(office.issue()) == "ok"


async def test_a_ticket_can_be_given_back_after_the_clock_was_set_back(office: Office) -> None:
    before = office.issue()
    office.clock.jump(-3600)
    await office.admission.take_back(office.room, office.viewer)
    assert office.said(before) == "ticket given back"
    assert office.said(office.issue()) == "ok"


async def test_tickets_of_others_stay_good(office: Office) -> None:
    others = office.admission.issue(office.room, office.viewer + 1, 1)
    await office.admission.take_back(office.room, office.viewer)
    assert office.said(others) == "ok"


async def test_what_was_given_back_is_void_after_a_restart(office: Office, store: Store) -> None:
    ticket = office.issue()
    await office.admission.take_back(office.room, office.viewer)
    again = await opened(store, office.clock, office.room, office.viewer)
    assert again.said(ticket) == "ticket given back"
    assert again.said(again.issue()) == "ok"


async def test_what_has_expired_by_itself_is_not_kept(office: Office, store: Store) -> None:
    await office.admission.take_back(office.room, office.viewer)
    office.clock.advance(LIFETIME + 1)
    again = await opened(store, office.clock, office.room, office.viewer)
    room = again.rights.of(office.room)
    assert room is not None and room.denied(office.viewer) == NOTHING_DENIED


async def test_owners_are_no_viewers_of_their_own_room(office: Office) -> None:
    rights = office.rights.of(office.room)
    assert rights is not None
    own = office.admission.credentials("", office.admission.issue(office.room, rights.owner_id, 1))
    assert not office.admission.is_viewer(rights, own)
    assert office.admission.is_viewer(rights, office.admission.credentials("", office.issue()))
    assert office.admission.is_viewer(rights, office.admission.credentials("viewing-pwd", ""))


async def test_a_ban_that_is_lifted_leaves_nothing_denied(office: Office) -> None:
    def room() -> Rights:
        found = office.rights.of(office.room)
        assert found is not None
        return found

    ticket = office.issue()
    await office.bans.ban(room(), office.viewer, 60)
    assert office.said(ticket) == "banned"
    await office.bans.lift(room(), office.viewer)
    assert office.said(ticket) == "ok"
    assert room().denials == {}


@pytest.mark.parametrize("what", ["ban", "lift", "take back"])
async def test_what_is_written_is_announced_once_it_holds(office: Office, what: str) -> None:
    room, heard = office.rights.of(office.room), list[tuple[Change, Denial]]()
    assert room is not None
    if what == "lift":
        await office.bans.ban(room, office.viewer, 60)

    async def listen(change: Change) -> None:
        now = office.rights.of(change.room_id)
        assert now is not None
        heard.append((change, now.denied(office.viewer)))

    office.changes.listen(listen)
    room = office.rights.of(office.room)
    assert room is not None
    match what:
        case "ban":
            await office.bans.ban(room, office.viewer, 60)
        case "lift":
            await office.bans.lift(room, office.viewer)
        case _:
            await office.admission.take_back(office.room, office.viewer)
    [(change, denial)] = heard
    assert change == Change(Changed.TICKETS if what == "take back" else Changed.BANS, office.room)
    assert (denial == NOTHING_DENIED) == (what == "lift")
