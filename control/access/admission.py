"""Issues tickets, takes them back, and answers the one question of who may stay."""

from __future__ import annotations

from control.access.bans import Bans
from control.access.revocations import Revocations
from control.access.rights import Rights, RightsOfRooms
from control.access.tickets import Keys
from control.access.verdicts import Credentials, Role, TicketClaims, may_play, may_publish
from control.clock import Clock


class Admission:
    """`lifetime` of a ticket is in seconds."""

    def __init__(
        self, keys: Keys, rights: RightsOfRooms, revocations: Revocations, bans: Bans, clock: Clock, lifetime: int
    ) -> None:
        self._keys = keys
        self._rights = rights
        self._revocations = revocations
        self._bans = bans
        self._clock = clock
        self._lifetime_ms = lifetime * 1000
        self._last_expiry = 0  # of all tickets issued, in ms: a clock that is set back issues shorter ones

    def issue(self, room_id: int, user_id: int, password_generation: int) -> str:
        """A ticket that outlasts any this user gave back."""
        expiry = max(self._expiry(), self._revocations.void_until(room_id, user_id) + 1)
        self._last_expiry = max(self._last_expiry, expiry)
        return self._keys.sign(TicketClaims(room_id, user_id, password_generation, expiry))

    async def take_back(self, room_id: int, user_id: int) -> None:
        """Voids every ticket this user has for the room."""
        void = max(self._expiry(), self._last_expiry, self._revocations.void_until(room_id, user_id) + 1)
        await self._revocations.revoke(room_id, user_id, void)

    def credentials(self, password: str, ticket: str) -> Credentials:
        """What somebody shows, "" for what they do not."""
        known = self._keys.read(ticket) if ticket else None
        return Credentials(password, known, false_ticket=bool(ticket) and known is None)

    def rights(self, room_id: int) -> Rights | None:
        return self._rights.of(room_id)

    def is_viewer(self, room_id: int, shown: Credentials) -> bool:
        """Whether who shows this is to be counted: an owner who previews their own room by ticket is not."""
        room = self._rights.of(room_id)
        return room is None or shown.ticket is None or shown.ticket.user_id != room.owner_id

    def admit(self, role: Role, room_id: int, shown: Credentials) -> None:
        """The one function that says who may come in and who may stay. Raises Denied."""
        room = self._rights.of(room_id)
        now = self._clock.now()
        if role is Role.PUBLISHER:
            may_publish(room, shown, now)
        else:
            who = shown.ticket.user_id if shown.ticket else 0
            may_play(room, shown, now, self._revocations.void_until(room_id, who), self._bans.until(room_id, who))

    def _expiry(self) -> int:
        return int(self._clock.now() * 1000) + self._lifetime_ms
