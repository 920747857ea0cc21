"""Guests: viewers without an account, in rooms whose owner lets everybody watch. A guest is known by their ticket
alone: where others' have a user, it has a number below zero."""

from __future__ import annotations

from array import array
from collections import OrderedDict
from collections.abc import Collection, Iterable
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
NETWORKS = 10_000  # that are counted, and of as many in one room each it is known who got a ticket there
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
        self._issued: OrderedDict[tuple[int, str], array[int]] = OrderedDict()
        """Guests, by room and network, the oldest first."""

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
        self._note(room.room_id, there, guest)
        return self._admission.issue_to_guest(room.room_id, guest, room.password_generation, self._lifetime)

    async def give_back(self, room: Rights, shown: str, address: str) -> None:
        if claims := await self._claims(room, shown, address):
            await self._admission.take_back(room.room_id, claims.user_id)

    async def throw_out(self, room_id: int, guest: int, addresses: Iterable[str], watching: Collection[int]) -> None:
        """Their ticket is void, and where they watched from nobody gets a new one for a time. So are those that were
        issued there before, and may be theirs too, but for those of guests who are `watching`."""
        void, stay = [guest], set(watching) - {guest}
        for there in map(network, addresses):
            self._windows.clear(self._out, _room(room_id), there)  # of who was thrown out there before
            self._windows.hit(self._out, _room(room_id), there)
            if issued := self._issued.get((room_id, there)):
                void += set(issued) - stay - {guest}
                issued[:] = array("q", (each for each in issued if each in stay))
        for each in void:
            await self._admission.take_back(room_id, each)

    def _note(self, room_id: int, there: str, guest: int) -> None:
        guests = self._issued.setdefault((room_id, there), array("q"))
        guests.append(guest)
        del guests[:-PER_ADDRESS]
        self._issued.move_to_end((room_id, there))
        if len(self._issued) > NETWORKS:
            self._issued.popitem(last=False)

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
