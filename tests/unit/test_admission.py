from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from control.access.admission import Admission
from control.access.bans import Bans
from control.access.denials import NOTHING_DENIED, Denials, DenialsOfUsers
from control.access.revocations import Revocations
from control.access.rights import Rights, RightsOfRooms
from control.access.tickets import Keys
from control.access.verdicts import Role
from control.guessing.guesses import Guesses
from control.refusals import Denied
from control.storage.changes import Change, Changed, Changes
from control.storage.database import Store
from control.storage.log import Log
from control.storage.room_events import RoomEvents
from control.storage.tables import rooms
from tests.support.rows import VAULT, add_room, add_user
from tests.support.world import HandClock, SeededEntropy

pytestmark = pytest.mark.anyio
LIFETIME = 600


class OneRoom:
    """Admission with one room, and a viewer who is not its owner."""

    def __init__(self, store: Store, clock: HandClock, room: int, viewer: int) -> None:
        self.store, self.clock, self.room, self.viewer = store, clock, room, viewer
        log = Log(store, "a", clock)
        self.changes = Changes(store, log)
        self.rights = RightsOfRooms(store=store, vault=VAULT, changes=self.changes, clock=clock, most=10)
        self.denials = DenialsOfUsers(store=store, changes=self.changes, most=10, clock=clock)
        self.bans = Bans(
            store=store,
            denials=self.denials,
            changes=self.changes,
            clock=clock,
            events=RoomEvents(store=store, clock=clock, log=log, shared=False, most=100),
        )
        self.admission = Admission(
            keys=Keys({"k1": b"key"}),
            rights=self.rights,
            denials=self.denials,
            revocations=Revocations(self.changes),
            guesses=Guesses(clock, SeededEntropy(), 10),
            clock=clock,
            lifetime=LIFETIME,
        )

    async def issue(self, user_id: int = 0) -> str:
        user_id = user_id or self.viewer
        return self.admission.issue(self.room, user_id, 1, await self.admission.denials(user_id))

    async def found(self) -> Rights:
        rights = await self.rights.of(self.room)
        assert rights is not None
        return rights

    async def verdict(self, ticket: str = "", password: str = "", role: Role = Role.PLAYER) -> str:
        try:
            await self.admission.admit(role, self.room, self.admission.credentials(password, ticket))
        except Denied as denied:
            return denied.reason
        return "ok"


@pytest.fixture
async def one(store: Store) -> OneRoom:
    return OneRoom(store, HandClock(), await add_room(store, 1), await add_user(store, 2))


async def test_a_ticket_lets_in_until_it_expires(one: OneRoom) -> None:
    ticket = await one.issue()
    one.clock.advance(LIFETIME - 0.001)
    assert await one.verdict(ticket) == "ok"
    one.clock.advance(0.001)
    assert await one.verdict(ticket) == "ticket expired"


async def test_a_password_lets_in_by_role(one: OneRoom) -> None:
    assert await one.verdict(password="viewing-pwd") == "ok"
    assert await one.verdict(password="anchor-pwd", role=Role.PUBLISHER) == "ok"
    assert await one.verdict(password="viewing-pwd", role=Role.PUBLISHER) == "wrong anchor password"


async def test_a_ticket_lets_nobody_publish(one: OneRoom) -> None:
    assert await one.verdict(await one.issue(), role=Role.PUBLISHER) == "wrong anchor password"


async def test_a_false_ticket_is_not_made_good_by_a_password(one: OneRoom) -> None:
    assert await one.verdict("1000001.1.1.1.k1.x", "viewing-pwd") == "not a ticket of ours"


async def test_a_ticket_that_is_given_back_is_void_and_the_next_is_not(one: OneRoom) -> None:
    before = await one.issue()
    await one.admission.take_back(one.room, one.viewer)
    assert await one.verdict(before) == "ticket given back"
    assert await one.verdict(await one.issue()) == "ok"


async def test_giving_back_again_within_the_same_moment_voids_again(one: OneRoom) -> None:
    for _ in range(3):
        ticket = await one.issue()
        await one.admission.take_back(one.room, one.viewer)
        assert await one.verdict(ticket) == "ticket given back"


async def test_a_ticket_that_is_issued_while_all_are_made_void_is_void_too(one: OneRoom) -> None:
    denials = await one.admission.denials(one.viewer)
    voiding = await one.admission.voiding(one.viewer)
    one.clock.advance(0.9)
    meanwhile = await one.issue()
    await one.store.write(voiding)
    await one.changes.write(Change(Changed.PASSWORD, user_id=one.viewer))
    late = one.admission.issue(one.room, one.viewer, 1, denials)
    assert [await one.verdict(each) for each in (meanwhile, late)] == ["ticket older than the account's password"] * 2
    assert await one.verdict(await one.issue()) == "ok"


async def test_a_clock_that_is_set_back_brings_no_ticket_back(one: OneRoom) -> None:
    before = await one.issue()
    await one.admission.take_back(one.room, one.viewer)
    one.clock.jump(-3600)
    assert await one.verdict(before) == "ticket given back"
    assert await one.verdict(await one.issue()) == "ok"


async def test_a_ticket_can_be_given_back_after_the_clock_was_set_back(one: OneRoom) -> None:
    before = await one.issue()
    one.clock.jump(-3600)
    await one.admission.take_back(one.room, one.viewer)
    assert await one.verdict(before) == "ticket given back"
    assert await one.verdict(await one.issue()) == "ok"


async def test_tickets_of_others_stay_good(one: OneRoom) -> None:
    others = await one.issue(one.viewer + 1)
    await one.admission.take_back(one.room, one.viewer)
    assert await one.verdict(others) == "ok"


async def test_what_was_given_back_is_void_after_a_restart(one: OneRoom, store: Store) -> None:
    ticket = await one.issue()
    await one.admission.take_back(one.room, one.viewer)
    again = OneRoom(store, one.clock, one.room, one.viewer)
    assert await again.verdict(ticket) == "ticket given back"
    assert await again.verdict(await again.issue()) == "ok"


async def test_what_has_expired_by_itself_is_not_kept(one: OneRoom) -> None:
    await one.admission.take_back(one.room, one.viewer)
    await one.bans.ban(await one.found(), one.viewer, 60, ["192.0.2.7"])
    one.clock.advance(LIFETIME + 1)
    await one.denials.purge()
    await one.bans.purge()
    again = OneRoom(one.store, one.clock, one.room, one.viewer)
    assert await again.denials.of(one.viewer) == NOTHING_DENIED
    assert (await again.found()).address_bans == ()


async def test_owners_are_no_viewers_of_their_own_room(one: OneRoom) -> None:
    own = one.admission.credentials("", await one.issue((await one.found()).owner_id))
    assert not await one.admission.is_viewer(one.room, own)
    assert await one.admission.is_viewer(one.room, one.admission.credentials("", await one.issue()))
    assert await one.admission.is_viewer(one.room, one.admission.credentials("viewing-pwd", ""))


async def test_a_ban_that_is_lifted_leaves_nothing_denied(one: OneRoom) -> None:
    ticket = await one.issue()
    await one.bans.ban(await one.found(), one.viewer, 60)
    assert await one.verdict(ticket) == "banned"
    await one.bans.lift(await one.found(), one.viewer)
    assert await one.verdict(ticket) == "ok"
    assert await one.denials.of(one.viewer) == NOTHING_DENIED


async def test_a_right_that_ends_while_another_is_looked_up_has_ended(
    one: OneRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The room is in memory and what is denied to the viewer is not: while that is asked for the room changes."""
    shown = one.admission.credentials("", await one.issue())
    await one.changes.write(Change(Changed.TICKETS, one.room, one.viewer))
    await one.found()
    load, go_on = one.denials._kept._load, asyncio.Event()

    async def late(user_ids: Sequence[int]) -> Mapping[int, Denials]:
        await go_on.wait()
        return await load(user_ids)

    monkeypatch.setattr(one.denials._kept, "_load", late)
    verdict = asyncio.create_task(one.admission.admit(Role.PLAYER, one.room, shown))
    await asyncio.sleep(0)
    await one.store.write(rooms.update().values(password_generation=2))
    await one.changes.write(Change(Changed.ROOM, one.room))
    go_on.set()
    with pytest.raises(Denied, match="older than the viewing password"):
        await verdict


@pytest.mark.parametrize("what", ["ban", "lift", "take back"])
async def test_what_is_written_is_announced_once_it_holds(one: OneRoom, what: str) -> None:
    room, heard = await one.found(), list[tuple[Change, bool]]()
    if what == "lift":
        await one.bans.ban(room, one.viewer, 60)

    async def listen(change: Change) -> None:
        heard.append((change, await one.denials.of(one.viewer) == NOTHING_DENIED))

    one.changes.listen(listen)
    match what:
        case "ban":
            await one.bans.ban(room, one.viewer, 60)
        case "lift":
            await one.bans.lift(room, one.viewer)
        case _:
            await one.admission.take_back(one.room, one.viewer)
    [(change, is_nothing)] = heard
    assert change == Change(Changed.TICKETS if what == "take back" else Changed.BANS, one.room, one.viewer)
    assert is_nothing == (what == "lift")
