"""Guests: viewers without an account, in rooms whose owner lets everybody watch. A guest is known by their ticket
alone: where others' have a user, it has a number below zero."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count

from limits import RateLimitItemPerSecond
from limits.strategies import MovingWindowRateLimiter

from control.access.admission import Admission
from control.access.rights import Rights
from control.access.verdicts import Role, TicketClaims
from control.clock import Clock
from control.entropy import Entropy
from control.guessing.windows import Windows
from control.ops.addresses import network
from control.refusals import Banned, Denied, TooOften

LIFETIME = 7200  # seconds, of a guest's ticket, at most
PER_ADDRESS = 100  # tickets that may hold at a time
OUT = 3600  # seconds in which nobody gets a ticket for a room at an address from which a guest was thrown out
NETWORKS = 10_000  # that are counted
NUMBERS = 2**48  # of guests: they begin anywhere, and none comes twice in one life of control


class Guests:
    """`lifetime` of tickets of users is in seconds; those of guests are not good for longer."""

    def __init__(self, admission: Admission, *, clock: Clock, entropy: Entropy, lifetime: int) -> None:
        self._admission = admission
        self._clock = clock
        self._lifetime = min(lifetime, LIFETIME)
        self._numbers = count(int.from_bytes(entropy.noise(6), "big"))
        self._windows = MovingWindowRateLimiter(Windows(clock, NETWORKS))
        self._share = RateLimitItemPerSecond(PER_ADDRESS, self._lifetime)
        self._out = RateLimitItemPerSecond(1, OUT)

    async def ticket(self, room: Rights, shown: str, address: str) -> str:
        """For a public room: the one that was `shown` where it is young, or else a new one. Raises Banned and
        TooOften."""
        claims = await self._claims(room, shown, address)
        if claims and claims.expires_at_ms > (self._clock.now() + self._lifetime / 2) * 1000:
            return shown
        there = network(address)
        if room.address_ban(there, self._clock.now()) or not self._windows.test(self._out, _room(room.room_id), there):
            raise Banned
        if not self._windows.hit(self._share, there):
            raise TooOften
        guest = -1 - next(self._numbers) % NUMBERS
        return self._admission.issue_to_guest(room.room_id, guest, room.password_generation, self._lifetime)

    async def give_back(self, room: Rights, shown: str, address: str) -> None:
        if claims := await self._claims(room, shown, address):
            await self._admission.take_back(room.room_id, claims.user_id)

    async def throw_out(self, room_id: int, guest: int, addresses: Iterable[str]) -> None:
        """Their ticket is void, and where they watched from nobody gets a new one for a time."""
        for there in map(network, addresses):
            self._windows.clear(self._out, _room(room_id), there)  # of who was thrown out there before
            self._windows.hit(self._out, _room(room_id), there)
        await self._admission.take_back(room_id, guest)

    async def _claims(self, room: Rights, shown: str, address: str) -> TicketClaims | None:
        """Of a guest's ticket that lets into the room; None for any other."""
        credentials = self._admission.credentials("", shown)
        claims = credentials.ticket
        if claims is None or not claims.is_guests:
            return None
        try:
            await self._admission.admit(Role.PLAYER, room.room_id, credentials, address)
        except Denied:
            return None
        return claims


def _room(room_id: int) -> str:
    return f"out of {room_id}"
