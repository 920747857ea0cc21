"""May they publish? May they play? Pure: everything a verdict rests on is handed in.

The same questions are asked when a session begins, whenever nginx asks again, and whenever a room changes.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from enum import Enum

from control.access.denials import NOTHING_DENIED, Denials
from control.access.rights import Rights
from control.clock import Epoch
from control.refusals import Denied, GateShut, WrongRoomPassword


class Role(Enum):
    PUBLISHER = "publisher"
    PLAYER = "player"
    # Between two rtmp nginx of a node, at the one where the room is at home: neither a publisher nor a viewer.
    PULL = "pull"
    PUSH = "push"

    @property
    def is_relay(self) -> bool:
        return self in (Role.PULL, Role.PUSH)

    @property
    def sends(self) -> bool:
        """Whether nginx has it as a stream's publisher."""
        return self in (Role.PUBLISHER, Role.PUSH)


@dataclass(frozen=True, slots=True)
class TicketClaims:
    """What a ticket says, its signature found good."""

    room_id: int
    user_id: int
    password_generation: int
    expires_at_ms: int
    """Milliseconds since the epoch."""

    @property
    def is_guests(self) -> bool:
        """Of a viewer without an account: its user is a number below zero."""
        return self.user_id < 0


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client showed to be let in."""

    password: str = ""
    ticket: TicketClaims | None = None
    false_ticket: bool = False
    """A ticket was shown, but not one of ours."""

    @property
    def user_id(self) -> int:
        """Whose ticket it is; 0 for a password, which does not tell the user; below 0 for a guest."""
        return self.ticket.user_id if self.ticket else 0

    @property
    def is_guess(self) -> bool:
        """A password is shown that is looked at: with a ticket, of ours or not, none is."""
        return bool(self.password) and self.ticket is None and not self.false_ticket


def may_publish(room: Rights | None, shown: Credentials, now: Epoch) -> Rights:
    """The room, where the answer is yes. Raises Denied."""
    if room is None:
        raise Denied("no such room")
    if not same_password(room.anchor_password, shown.password):
        raise WrongRoomPassword("wrong anchor password")
    if room.gate_shut_until > now:
        raise GateShut
    return room


def may_play(
    room: Rights | None, shown: Credentials, now: Epoch, *, denials: Denials = NOTHING_DENIED, network: str = ""
) -> Rights:
    """The room, where the answer is yes. `denials`: of the ticket's user. `network`: the client's. Raises Denied."""
    if room is None:
        raise Denied("no such room")
    if shown.false_ticket:
        raise Denied("not a ticket of ours")
    if shown.ticket is not None:
        _check(room, shown.ticket, now, denials)
        if shown.ticket.is_guests:
            _check_guest(room, now, network)
    elif not same_password(room.user_password, shown.password):
        raise WrongRoomPassword("wrong viewing password")
    elif room.address_ban(network, now):
        raise Denied("banned address")
    return room


def same_password(right: str, shown: str) -> bool:
    """Takes as long for a wrong one as for the right one. "" is no password."""
    return bool(right) and hmac.compare_digest(right.encode(), shown.encode())


def _check_guest(room: Rights, now: Epoch, network: str) -> None:
    if not room.is_public:
        raise Denied("room is not public")
    if room.address_ban(network, now):
        raise Denied("banned address")


def _check(room: Rights, ticket: TicketClaims, now: Epoch, denials: Denials) -> None:
    if denials.banned(room.room_id, now):
        raise Denied("banned")
    if ticket.room_id != room.room_id:
        raise Denied("ticket of another room")
    if ticket.expires_at_ms <= now * 1000:
        raise Denied("ticket expired")
    # An owner chose the password; it cannot shut them out of their own room.
    if ticket.password_generation != room.password_generation and ticket.user_id != room.owner_id:
        raise Denied("ticket older than the viewing password")
    if ticket.expires_at_ms <= denials.void_until_ms.get(room.room_id, 0):
        raise Denied("ticket given back")
    if ticket.expires_at_ms <= denials.void_everywhere_until_ms:
        raise Denied("ticket older than the account's password")
