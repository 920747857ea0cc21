"""May they publish? May they play? Pure: everything a verdict rests on is handed in.

The same questions are asked when a session begins, whenever nginx asks again, and whenever a room changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from control.access.rights import Rights
from control.access.room_passwords import same_password
from control.refusals import Denied, GateShut


class Role(Enum):
    PUBLISHER = "publisher"
    PLAYER = "player"


@dataclass(frozen=True, slots=True)
class TicketClaims:
    """What a ticket says, its signature found good."""

    room_id: int
    user_id: int
    password_generation: int
    expires_at_ms: int
    """Milliseconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client showed to be let in."""

    password: str = ""
    ticket: TicketClaims | None = None
    false_ticket: bool = False
    """A ticket was shown, but not one of ours."""


def may_publish(room: Rights | None, shown: Credentials, now: float) -> None:
    """`now` is in seconds since the epoch. Raises Denied."""
    if room is None:
        raise Denied("no such room")
    if not same_password(room.anchor_password, shown.password):
        raise Denied("wrong anchor password")
    if room.gate_shut_until > now:
        raise GateShut


def may_play(room: Rights | None, shown: Credentials, now: float, void_until_ms: int, banned_until: float) -> None:
    """`void_until_ms`: tickets of this user for this room that expire by then were given back; `banned_until`: this
    user may not watch it before then, seconds since the epoch. Raises Denied."""
    if room is None:
        raise Denied("no such room")
    if shown.false_ticket:
        raise Denied("not a ticket of ours")
    if shown.ticket is not None:
        if banned_until > now:
            raise Denied("banned")
        _valid(room, shown.ticket, now, void_until_ms)
    elif not same_password(room.user_password, shown.password):
        raise Denied("wrong viewing password")


def _valid(room: Rights, ticket: TicketClaims, now: float, void_until_ms: int) -> None:
    if ticket.room_id != room.room_id:
        raise Denied("ticket of another room")
    if ticket.expires_at_ms <= now * 1000:
        raise Denied("ticket expired")
    # An owner chose the password; it cannot shut them out of their own room.
    if ticket.password_generation != room.password_generation and ticket.user_id != room.owner_id:
        raise Denied("ticket older than the viewing password")
    if ticket.expires_at_ms <= void_until_ms:
        raise Denied("ticket given back")
