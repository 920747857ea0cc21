"""What a verdict needs of a room, in memory: nginx's callbacks cannot wait for a query each.

Here is also the one rule of which room a text means.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
import structlog

from control.access.quotas import COLUMNS as QUOTA
from control.access.quotas import NO_QUOTA, Quota
from control.access.quotas import read as read_quota
from control.access.vault import COLUMNS as SEALED
from control.access.vault import Vault
from control.clock import Clock, Epoch
from control.storage.cache import Cache
from control.storage.changes import Change, Changed, Changes
from control.storage.database import Row, Store, numbered
from control.storage.tables import LAST_ROOM_ID, address_bans, rooms, user_quotas

ROOM_ID = r"[1-9][0-9]{0,9}"
"""A room id as a regular expression, but for its upper limit; web.conf has the same."""
_ROOM_ID = re.compile(ROOM_ID)

CHANGES = (Changed.ROOM, Changed.GATE, Changed.BANS, Changed.ACCOUNT, Changed.QUOTA)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class AddressBan:
    """Of the addresses that a banned user watched from."""

    user_id: int
    networks: frozenset[str]
    since: Epoch
    until: Epoch


@dataclass(frozen=True, slots=True)
class Rights:
    room_id: int
    owner_id: int
    anchor_password: str
    """Like the other two, "" where what was sealed does not open: then nobody gets in by it."""
    assist_password: str
    user_password: str
    password_generation: int
    gate_shut_until: Epoch
    """0: open."""
    is_open: bool = False
    """Its viewing password is told to every user."""
    is_public: bool = False
    """It is open, and lets in guests, who have no account."""
    address_bans: tuple[AddressBan, ...] = ()
    quota: Quota = NO_QUOTA

    def address_ban(self, network: str, now: Epoch) -> AddressBan | None:
        """The first that keeps a network out now. In a room that is not open nothing does: who knows its password
        was told by somebody."""
        if not (self.is_open and self.address_bans):
            return None
        return next((each for each in self.address_bans if network in each.networks and each.until > now), None)


COLUMNS = (
    rooms.c.id,
    rooms.c.owner_id,
    rooms.c.anchor_password,
    rooms.c.assist_password,
    rooms.c.user_password,
    rooms.c.password_generation,
    rooms.c.gate_shut_until,
    rooms.c.is_open,
    rooms.c.is_public,
)
BAN = (address_bans.c.user_id, address_bans.c.network, address_bans.c.since, address_bans.c.until)


def parse_room_id(text: str) -> int:
    """The id that a text spells as we give it out: decimal, without leading zeros, at most LAST_ROOM_ID. 0 for any
    other text, which is no room's."""
    number = int(text) if _ROOM_ID.fullmatch(text) else 0
    return number if number <= LAST_ROOM_ID else 0


class RightsOfRooms:
    """`most` rooms' are kept in memory. `usual`: the quota of a room whose owner has none of their own."""

    def __init__(
        self, *, store: Store, vault: Vault, changes: Changes, clock: Clock, most: int, usual: Quota = NO_QUOTA
    ) -> None:
        self._store = store
        self._usual = usual
        self._vault = vault
        self._clock = clock
        self._kept = Cache(self._load, most)
        self._told: set[int] = set()
        """Rooms whose passwords do not open."""
        changes.forget(self._forget, self._kept.clear)

    async def of(self, room_id: int) -> Rights | None:
        """None where there is no such room."""
        return await self._kept.get(room_id) if 0 < room_id <= LAST_ROOM_ID else None

    async def of_all(self, room_ids: Iterable[int]) -> dict[int, Rights]:
        return await self._kept.get_all(room_ids)

    def peek(self, room_id: int) -> Rights | None:
        """None where they are not in memory, too."""
        return self._kept.peek(room_id)

    def _forget(self, change: Change) -> None:
        if change.what in CHANGES:
            self._kept.forget(change.room_id)

    async def _load(self, room_ids: Sequence[int]) -> dict[int, Rights]:
        holds = sa.and_(address_bans.c.room_id == rooms.c.id, address_bans.c.until > self._clock.now())
        own = user_quotas.c.user_id == rooms.c.owner_id
        joined = rooms.outerjoin(address_bans, holds).outerjoin(user_quotas, own)
        query = sa.select(*COLUMNS, *BAN, *QUOTA).select_from(joined)
        rows: dict[int, list[Row]] = {}
        for row in await self._store.fetch_all(query.where(rooms.c.id.in_(sa.select(numbered(room_ids).c.value)))):
            rows.setdefault(row["id"], []).append(row)
        return {room_id: self._read(of_room) for room_id, of_room in rows.items()}

    def _read(self, rows: list[Row]) -> Rights:
        row = rows[0]
        anchor, assist, user = (self._vault.opened(row, column) for column in SEALED)
        if not (anchor and assist and user) and row["id"] not in self._told:
            self._told.add(row["id"])
            log.error("room's passwords do not open", room=row["id"])
        return Rights(
            room_id=row["id"],
            owner_id=row["owner_id"],
            anchor_password=anchor,
            assist_password=assist,
            user_password=user,
            password_generation=row["password_generation"],
            gate_shut_until=row["gate_shut_until"],
            is_open=bool(row["is_open"]),
            is_public=bool(row["is_open"] and row["is_public"]),
            address_bans=_address_bans(rows),
            quota=read_quota(row, self._usual),
        )


def _address_bans(rows: Iterable[Row]) -> tuple[AddressBan, ...]:
    networks: dict[tuple[int, Epoch, Epoch], set[str]] = {}
    for row in rows:
        if row["user_id"] is not None:
            networks.setdefault((row["user_id"], row["since"], row["until"]), set()).add(row["network"])
    return tuple(AddressBan(user, frozenset(found), since, until) for (user, since, until), found in networks.items())
