"""Issues tickets, takes them back, and answers the one question of who may come in and who may stay."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from control.access.revocations import Revocations
from control.access.rights import Rights, RightsOfRooms
from control.access.tickets import Keys
from control.access.verdicts import Credentials, Role, TicketClaims, may_play, may_publish, same_password
from control.clock import Clock
from control.guessing.guesses import Guesses, Secret, Target
from control.ops.addresses import network
from control.refusals import BadRoomPassword, Denied, GateShut, TooManyGuesses, WrongRoomPassword


@dataclass(frozen=True, slots=True)
class Grant:
    """A yes."""

    room_id: int
    counted: bool
    """As a viewer."""


class Admission:
    """`lifetime` of a ticket is in seconds."""

    def __init__(
        self,
        *,
        keys: Keys,
        rights: RightsOfRooms,
        revocations: Revocations,
        guesses: Guesses,
        clock: Clock,
        lifetime: int,
    ) -> None:
        self._keys = keys
        self._rights = rights
        self._revocations = revocations
        self._guesses = guesses
        self._clock = clock
        self._lifetime_ms = lifetime * 1000
        self._last_expiry = 0  # of all tickets issued, in ms: a clock that is set back issues shorter ones

    def issue(self, room_id: int, user_id: int, password_generation: int) -> str:
        """A ticket that outlasts any this user gave back."""
        expiry = max(self._expiry(), self._void_until(room_id, user_id) + 1)
        self._last_expiry = max(self._last_expiry, expiry)
        return self._keys.sign(TicketClaims(room_id, user_id, password_generation, expiry))

    async def take_back(self, room_id: int, user_id: int) -> None:
        """Voids every ticket this user has for the room."""
        void = max(self._expiry(), self._last_expiry, self._void_until(room_id, user_id) + 1)
        await self._revocations.revoke(room_id, user_id, void)

    def voiding(self, user_id: int) -> sa.sql.ClauseElement:
        """What voids every ticket of this user, for a transaction after which `voided` is to be called."""
        void = max(self._expiry(), self._last_expiry, self._rights.void_everywhere_until(user_id) + 1)
        return self._revocations.voiding(user_id, void)

    async def voided(self, user_id: int) -> None:
        await self._revocations.voided(user_id)

    def credentials(self, password: str, ticket: str) -> Credentials:
        """What a client shows, "" for what it does not."""
        claims = self._keys.read(ticket) if ticket else None
        return Credentials(password, claims, false_ticket=bool(ticket) and claims is None)

    def room(self, room_id: int) -> Rights | None:
        return self._rights.of(room_id)

    def room_named(self, name: str) -> Rights | None:
        """The room that a stream's name means."""
        return self._rights.named(name)

    def admit(self, role: Role, room: Rights | None, shown: Credentials, address: str = "") -> Grant:
        """The one function that says who may come in and who may stay. `address`: the client's, where a password may
        not be enough from there. Raises Denied."""
        now = self._clock.now()
        if role is Role.PUBLISHER:
            return Grant(may_publish(room, shown, now).room_id, counted=False)
        void_until = self._rights.void_everywhere_until(shown.ticket.user_id) if shown.ticket else 0
        there = may_play(room, shown, now, void_until_ms=void_until, network=network(address))
        return Grant(there.room_id, self.is_viewer(there, shown))

    async def admit_newcomer(self, role: Role, room: Rights | None, shown: Credentials, address: str) -> Grant:
        """Like `admit`, for a client that comes: a password that is wrong is counted, and too many are not looked at.
        Takes seconds after some. Raises Denied."""
        if room is None or shown.has_ticket or not shown.password:
            return self.admit(role, room, shown, address)
        target = Target(Secret.ANCHOR if role is Role.PUBLISHER else Secret.VIEWING, room.room_id)
        try:
            await self._guesses.admit(target, address)
            grant = self.admit(role, self.room(room.room_id), shown, address)  # it may have changed meanwhile
        except TooManyGuesses:
            raise Denied("too many wrong passwords") from None
        except WrongRoomPassword:
            self._guesses.wrong(target, address, shown.password)
            raise
        except GateShut:
            self._guesses.right(target, address)
            raise
        self._guesses.right(target, address)
        return grant

    async def check_password(self, secret: Secret, room_id: int, shown: str, address: str) -> None:
        """Whether it is the room's viewing or assistant's password. Raises BadRoomPassword and TooManyGuesses."""
        target = Target(secret, room_id)
        await self._guesses.admit(target, address)
        room = self.room(room_id)
        if room is None or not same_password(_password_of(room, secret), shown):
            self._guesses.wrong(target, address, shown)
            raise BadRoomPassword
        self._guesses.right(target, address)

    def is_viewer(self, room: Rights | None, shown: Credentials) -> bool:
        """Whether a player that shows this is counted: an owner who previews their own room by ticket is not."""
        return room is None or shown.ticket is None or shown.ticket.user_id != room.owner_id

    def _expiry(self) -> int:
        return int(self._clock.now() * 1000) + self._lifetime_ms

    def _void_until(self, room_id: int, user_id: int) -> int:
        room = self._rights.of(room_id)
        return max(room.denied(user_id).void_until_ms if room else 0, self._rights.void_everywhere_until(user_id))


def _password_of(room: Rights, secret: Secret) -> str:
    return room.assist_password if secret is Secret.ASSISTANT else room.user_password
