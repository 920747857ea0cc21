"""Issues tickets, takes them back, and answers the one question of who may come in and who may stay."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

import sqlalchemy as sa

from control.access.denials import NOTHING_DENIED, Denials, DenialsOfUsers
from control.access.quotas import NO_QUOTA, Quota
from control.access.revocations import Revocations
from control.access.rights import Rights, RightsOfRooms
from control.access.tickets import Keys
from control.access.verdicts import Credentials, Role, TicketClaims, may_play, may_publish, same_password
from control.clock import Clock
from control.guessing.guesses import Guesses, Secret, Target
from control.ops.addresses import network
from control.refusals import BadRoomPassword, Denied, GateShut, TooManyGuesses, WrongRoomPassword

AGAIN_MS = 60_000  # in which a ticket is not made anew: lists are read again and again
MEANWHILE_MS = 1000  # in which what voids a user's tickets is written, while requests of theirs still get some
ISSUED = 50_000  # tickets kept for that


class Grant(NamedTuple):
    """A yes."""

    room_id: int
    counted: bool
    """As a viewer."""
    quota: Quota = NO_QUOTA
    """The room's."""


class Admission:
    """`lifetime` of a ticket is in seconds."""

    def __init__(
        self,
        *,
        keys: Keys,
        rights: RightsOfRooms,
        denials: DenialsOfUsers,
        revocations: Revocations,
        guesses: Guesses,
        clock: Clock,
        lifetime: int,
    ) -> None:
        self._keys = keys
        self._rights = rights
        self._denials = denials
        self._revocations = revocations
        self._guesses = guesses
        self._clock = clock
        self._lifetime_ms = lifetime * 1000
        self._issued: dict[tuple[int, int, int, int], tuple[int, str]] = {}
        """With what it expires at; by room, user, password generation and what is void."""
        self._last_expiry = 0  # of all tickets issued, in ms: a clock that is set back issues shorter ones

    def issue(self, room_id: int, user_id: int, password_generation: int, denials: Denials) -> str:
        """A ticket that outlasts any this user gave back: the last one again, if it is young. `denials` are theirs."""
        return self.issue_all(user_id, {room_id: password_generation}, denials)[room_id]

    def issue_all(self, user_id: int, generations: Mapping[int, int], denials: Denials) -> dict[int, str]:
        """Likewise, for rooms of which each has its password generation; by room."""
        expiry, issued = self._expiry(), self._issued
        tickets = {}
        for room_id, generation in generations.items():
            void = denials.void_until(room_id) if denials is not NOTHING_DENIED else 0
            last = issued.get((room_id, user_id, generation, void))
            young = last is not None and 0 <= expiry - last[0] < AGAIN_MS
            tickets[room_id] = last[1] if last and young else self._sign(room_id, user_id, generation, void, expiry)
        return tickets

    def _sign(self, room_id: int, user_id: int, password_generation: int, void: int, expiry: int) -> str:
        key = room_id, user_id, password_generation, void
        expiry = max(expiry, void + 1)
        self._last_expiry = max(self._last_expiry, expiry)
        ticket = self._keys.sign(TicketClaims(room_id, user_id, password_generation, expiry))
        self._issued.pop(key, None)
        self._issued[key] = expiry, ticket
        if len(self._issued) > ISSUED:
            del self._issued[next(iter(self._issued))]
        return ticket

    def issue_to_guest(self, room_id: int, guest: int, password_generation: int, lifetime: int) -> str:
        """A ticket for `lifetime` seconds."""
        expiry = int(self._clock.now() * 1000) + lifetime * 1000
        return self._keys.sign(TicketClaims(room_id, guest, password_generation, expiry))

    async def take_back(self, room_id: int, user_id: int) -> None:
        """Voids every ticket this user has for the room."""
        denials = await self._denials.of(user_id)
        void = max(self._expiry(), self._last_expiry, denials.void_until(room_id) + 1)
        await self._revocations.revoke(room_id, user_id, void)

    async def voiding(self, user_id: int) -> sa.sql.ClauseElement:
        """What voids every ticket of this user, for a transaction after which the change of their password is
        announced."""
        denials = await self._denials.of(user_id)
        void = max(self._expiry() + MEANWHILE_MS, self._last_expiry, denials.void_everywhere_until_ms + 1)
        return self._revocations.voiding(user_id, void)

    def credentials(self, password: str, ticket: str) -> Credentials:
        """What a client shows, "" for what it does not."""
        if not ticket:
            return _by_password(password)
        claims = self._keys.read(ticket)
        return Credentials(password, claims, false_ticket=claims is None)

    async def room(self, room_id: int) -> Rights | None:
        return await self._rights.of(room_id)

    def is_known(self, room_id: int) -> bool:
        """Whether there is such a room, as far as is known without asking."""
        return self._rights.peek(room_id) is not None

    async def denials(self, user_id: int) -> Denials:
        return await self._denials.of(user_id)

    async def admit(self, role: Role, room_id: int, shown: Credentials, address: str = "") -> Grant:
        """The one answer to who may come in and who may stay. `room_id` 0 is no room. `address`: the client's, where a
        password may not be enough from there. Waits only for what is not in memory; what holds when it returns was
        judged in that moment. Raises Denied."""
        while (grant := self.admit_at_once(role, room_id, shown, address)) is None:
            await self._look_up(role, room_id, shown)
        return grant

    def admit_at_once(self, role: Role, room_id: int, shown: Credentials, address: str = "") -> Grant | None:
        """Likewise. None where something is not in memory."""
        room = self._rights.peek(room_id)
        user_id = shown.user_id if role is Role.PLAYER else 0
        denials = self._denials.peek(user_id) if user_id else NOTHING_DENIED
        if room is None or denials is None:
            return None
        now = self._clock.now()
        if role is Role.PUBLISHER:
            return Grant(may_publish(room, shown, now).room_id, counted=False, quota=room.quota)
        there = may_play(room, shown, now, denials=denials, network=network(address) if room.address_bans else "")
        return Grant(there.room_id, is_viewer(there, shown), room.quota)

    async def _look_up(self, role: Role, room_id: int, shown: Credentials) -> None:
        if await self._rights.of(room_id) is None:
            raise Denied("no such room")
        if role is Role.PLAYER and shown.user_id:
            await self._denials.of(shown.user_id)

    async def admit_newcomer(self, role: Role, room_id: int, shown: Credentials, address: str) -> Grant:
        """Like `admit`, for a client that comes: a password that is wrong is counted, and too many are not looked at.
        Takes seconds after some. Raises Denied."""
        if not shown.is_guess or await self._rights.of(room_id) is None:
            return await self.admit(role, room_id, shown, address)
        try:
            await self._guesses.admit(_target(role, room_id), address)
        except TooManyGuesses:
            raise Denied("too many wrong passwords") from None
        while (grant := self._judge_guess(role, room_id, shown, address)) is None:
            await self._look_up(role, room_id, shown)
        return grant

    def admit_newcomer_at_once(self, role: Role, room_id: int, shown: Credentials, address: str) -> Grant | None:
        """Likewise. None where something is not in memory, or the answer has to wait."""
        if not shown.is_guess:
            return self.admit_at_once(role, room_id, shown, address)
        try:
            waits = self._rights.peek(room_id) is None or self._guesses.delay(_target(role, room_id), address)
        except TooManyGuesses:
            raise Denied("too many wrong passwords") from None
        return None if waits else self._judge_guess(role, room_id, shown, address)

    def _judge_guess(self, role: Role, room_id: int, shown: Credentials, address: str) -> Grant | None:
        target = _target(role, room_id)
        try:
            grant = self.admit_at_once(role, room_id, shown, address)
        except WrongRoomPassword:
            self._guesses.wrong(target, address, shown.password)
            raise
        except GateShut:
            self._guesses.right(target, address)
            raise
        if grant is not None:
            self._guesses.right(target, address)
        return grant

    async def check_password(self, secret: Secret, room_id: int, shown: str, address: str) -> None:
        """Whether it is the room's viewing or assistant's password. Raises BadRoomPassword and TooManyGuesses."""
        target = Target(secret, room_id)
        await self._guesses.admit(target, address)
        room = await self._rights.of(room_id)
        if room is None or not same_password(_password_of(room, secret), shown):
            self._guesses.wrong(target, address, shown)
            raise BadRoomPassword
        self._guesses.right(target, address)

    async def is_viewer(self, room_id: int, shown: Credentials) -> bool:
        """Whether a player that shows this is counted."""
        return not shown.ticket or is_viewer(await self._rights.of(room_id), shown)

    def _expiry(self) -> int:
        return int(self._clock.now() * 1000) + self._lifetime_ms


@lru_cache(1000)
def _by_password(password: str) -> Credentials:
    """One for all who show the same."""
    return Credentials(password)


def is_viewer(room: Rights | None, shown: Credentials) -> bool:
    """Whether a player that shows this is counted: an owner who previews their own room by ticket is not."""
    return room is None or shown.ticket is None or shown.ticket.user_id != room.owner_id


def _target(role: Role, room_id: int) -> Target:
    return Target(Secret.ANCHOR if role is Role.PUBLISHER else Secret.VIEWING, room_id)


def _password_of(room: Rights, secret: Secret) -> str:
    return room.assist_password if secret is Secret.ASSISTANT else room.user_password
