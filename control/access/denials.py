"""What is denied to one user, or guest, in memory: rooms that ban them, and tickets of theirs that are void."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import sqlalchemy as sa

from control.clock import Clock, Epoch
from control.storage.cache import Cache
from control.storage.changes import Change, Changed, Changes
from control.storage.database import Store, numbered
from control.storage.tables import bans, guest_revocations, ticket_revocations, user_revocations

CHANGES = (Changed.BANS, Changed.TICKETS, Changed.PASSWORD, Changed.ACCOUNT)
_NOWHERE: Mapping[int, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Denials:
    """Of one user."""

    banned_until: Mapping[int, Epoch] = field(default_factory=lambda: _NOWHERE)  # type: ignore[arg-type,return-value]
    """By room."""
    void_until_ms: Mapping[int, int] = field(default_factory=lambda: _NOWHERE)  # type: ignore[arg-type,return-value]
    """By room: tickets that expire by then were given back; milliseconds since the epoch."""
    void_everywhere_until_ms: int = 0
    """Tickets for any room, likewise."""

    def banned(self, room_id: int, now: Epoch) -> float:
        """Seconds for which a room still bans the user; 0 for none."""
        return max(0.0, self.banned_until.get(room_id, 0.0) - now)

    def void_until(self, room_id: int) -> int:
        """Milliseconds since the epoch: the user's tickets for a room that expire by then are void. 0: none is."""
        return max(self.void_until_ms.get(room_id, 0), self.void_everywhere_until_ms)


NOTHING_DENIED = Denials()


class DenialsOfUsers:
    """`most` users' are kept in memory."""

    def __init__(self, *, store: Store, changes: Changes, clock: Clock, most: int) -> None:
        self._store = store
        self._clock = clock
        self._kept = Cache(self._load, most)
        changes.forget(self._forget, self._kept.clear)

    async def of(self, user_id: int) -> Denials:
        """Also of a user who does not exist."""
        denials = await self._kept.get(user_id)
        assert denials is not None
        return denials

    def peek(self, user_id: int) -> Denials | None:
        """None where they are not in memory."""
        return self._kept.peek(user_id)

    async def purge(self) -> None:
        """Deletes from the database what has no effect any more."""
        now = self._clock.now()
        await self._store.write(
            bans.delete().where(bans.c.until <= now),
            ticket_revocations.delete().where(ticket_revocations.c.until_expiry_ms <= now * 1000),
            guest_revocations.delete().where(guest_revocations.c.until_expiry_ms <= now * 1000),
            user_revocations.delete().where(user_revocations.c.until_expiry_ms <= now * 1000),
        )

    def _forget(self, change: Change) -> None:
        if change.what in CHANGES:
            self._kept.forget(change.user_id)

    async def _load(self, user_ids: Sequence[int]) -> dict[int, Denials]:
        wanted = sa.select(numbered(user_ids).c.value)
        none = sa.literal(0)
        ban, revoked, guests, void = bans.c, ticket_revocations.c, guest_revocations.c, user_revocations.c
        rows = await self._store.fetch_all(
            sa.union_all(
                sa.select(ban.user_id, ban.room_id, ban.until, none.label("void_until_ms")).where(
                    ban.user_id.in_(wanted)
                ),
                sa.select(revoked.user_id, revoked.room_id, none, revoked.until_expiry_ms).where(
                    revoked.user_id.in_(wanted)
                ),
                sa.select(guests.guest, guests.room_id, none, guests.until_expiry_ms).where(guests.guest.in_(wanted)),
                sa.select(void.user_id, none, none, void.until_expiry_ms).where(void.user_id.in_(wanted)),
            )
        )
        banned: dict[int, dict[int, Epoch]] = {user_id: {} for user_id in user_ids}
        voided: dict[int, dict[int, int]] = {user_id: {} for user_id in user_ids}
        for row in rows:
            if row["until"]:
                banned[row["user_id"]][row["room_id"]] = row["until"]
            else:
                voided[row["user_id"]][row["room_id"]] = row["void_until_ms"]
        return {
            user_id: Denials(banned[user_id], voided[user_id], voided[user_id].pop(0, 0))
            if banned[user_id] or voided[user_id]
            else NOTHING_DENIED
            for user_id in user_ids
        }
