from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from control.access.denials import Denials
from control.access.rights import Rights
from control.access.verdicts import Credentials, TicketClaims, may_play, may_publish
from control.clock import Epoch
from control.refusals import Denied

NOW = Epoch(1_800_000_000.0)
OWNER, VIEWER = 1, 2
ROOM = Rights(1000001, OWNER, "anchor-pwd", "assist-pwd", "viewing-pwd", 3, Epoch(0.0))
TICKET = TicketClaims(ROOM.room_id, VIEWER, 3, int(NOW * 1000) + 1)


def ticket(**other: int) -> Credentials:
    return Credentials(ticket=replace(TICKET, **other))


@pytest.mark.parametrize(
    ("outcome", "room", "shown"),
    [
        ("ok", ROOM, Credentials("anchor-pwd")),
        ("ok", replace(ROOM, gate_shut_until=NOW), Credentials("anchor-pwd")),
        ("no such room", None, Credentials("anchor-pwd")),
        ("wrong anchor password", ROOM, Credentials()),
        ("wrong anchor password", ROOM, Credentials("Anchor-pwd")),
        ("wrong anchor password", ROOM, Credentials("viewing-pwd")),
        ("wrong anchor password", ROOM, Credentials("密码")),
        ("wrong anchor password", ROOM, Credentials(ticket=TICKET)),
        ("wrong anchor password", replace(ROOM, gate_shut_until=Epoch(NOW + 1)), Credentials("guess")),
        ("gate shut", replace(ROOM, gate_shut_until=Epoch(NOW + 1)), Credentials("anchor-pwd")),
    ],
)
def test_who_may_publish(outcome: str, room: Rights | None, shown: Credentials) -> None:
    assert said(lambda: may_publish(room, shown, NOW)) == outcome


@pytest.mark.parametrize(
    ("outcome", "shown", "void_until_ms"),
    [
        ("ok", Credentials("viewing-pwd"), 0),
        ("ok", ticket(), 0),
        ("ok", ticket(), TICKET.expires_at_ms - 1),
        ("ok", ticket(user_id=OWNER, password_generation=1), 0),
        ("wrong viewing password", Credentials(), 0),
        ("wrong viewing password", Credentials("viewing-pwD"), 0),
        ("wrong viewing password", Credentials("anchor-pwd"), 0),
        ("not a ticket of ours", Credentials(false_ticket=True), 0),
        ("not a ticket of ours", Credentials("viewing-pwd", false_ticket=True), 0),
        ("ticket of another room", ticket(room_id=1000002), 0),
        ("ticket expired", ticket(expires_at_ms=int(NOW * 1000)), 0),
        ("ticket older than the viewing password", ticket(password_generation=2), 0),
        ("ticket older than the viewing password", ticket(password_generation=4), 0),
        ("ticket given back", ticket(), TICKET.expires_at_ms),
        ("ticket given back", ticket(user_id=OWNER), TICKET.expires_at_ms),
        ("ticket given back", replace(ticket(), password="viewing-pwd"), TICKET.expires_at_ms),
    ],
)
def test_who_may_play(outcome: str, shown: Credentials, void_until_ms: int) -> None:
    denials = Denials(void_until_ms={ROOM.room_id: void_until_ms})
    assert said(lambda: may_play(ROOM, shown, NOW, denials=denials)) == outcome


def test_a_new_password_of_the_account_voids_tickets_for_any_room() -> None:
    void, good = (Denials(void_everywhere_until_ms=TICKET.expires_at_ms - less) for less in (0, 1))
    assert said(lambda: may_play(ROOM, ticket(), NOW, denials=void)) == "ticket older than the account's password"
    assert said(lambda: may_play(ROOM, ticket(), NOW, denials=good)) == "ok"


def test_nobody_plays_in_a_room_that_is_not() -> None:
    assert said(lambda: may_play(None, ticket(), NOW)) == "no such room"


def test_a_shut_gate_is_no_affair_of_viewers() -> None:
    assert said(lambda: may_play(replace(ROOM, gate_shut_until=Epoch(NOW + 1)), ticket(), NOW)) == "ok"


@pytest.mark.parametrize(
    ("outcome", "shown", "until"),
    [
        ("banned", ticket(), NOW + 1),
        ("ok", ticket(), NOW),
        ("ok", Credentials("viewing-pwd"), NOW + 1),  # nobody knows who that is
    ],
)
def test_a_ban_holds_for_its_time_and_its_user(outcome: str, shown: Credentials, until: float) -> None:
    denials = Denials(banned_until={ROOM.room_id: Epoch(until), 1000002: Epoch(NOW + 9)})
    assert said(lambda: may_play(ROOM, shown, NOW, denials=denials)) == outcome


def said(ask: Callable[[], object]) -> str:
    try:
        ask()
    except Denied as denied:
        return denied.reason
    return "ok"
