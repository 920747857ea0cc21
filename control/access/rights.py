"""What a verdict needs of a room, in memory: nginx's callbacks cannot wait for a query each.

Here is also the one rule of which room a text means.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import sqlalchemy as sa
import structlog

from control.access.vault import COLUMNS as SEALED
from control.access.vault import Vault
from control.clock import Epoch
from control.storage.database import Row, Store, listed
from control.storage.tables import LAST_ROOM_ID, rooms

ROOM_ID = r"[1-9][0-9]{0,9}"
"""A room id as a regular expression, but for its upper limit; web.conf has the same."""


log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Denial:
    """What a room denies one user."""

    banned_until: Epoch = Epoch(0.0)
    void_until_ms: int = 0
    """Tickets that expire by then were given back; milliseconds since the epoch."""


@dataclass(frozen=True, slots=True)
class AddressBan:
    """Of the addresses that a banned user watched from."""

    user_id: int
    networks: frozenset[str]
    since: Epoch
    until: Epoch


NOTHING_DENIED = Denial()
_NOBODY: Mapping[int, Denial] = MappingProxyType({})


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
    denials: Mapping[int, Denial] = field(default_factory=lambda: _NOBODY)
    """By user id."""
    is_open: bool = False
    """Its viewing password is told to every user."""
    address_bans: tuple[AddressBan, ...] = ()

    def address_ban(self, network: str, now: Epoch) -> AddressBan | None:
        """The first that keeps a network out now. In a room that is not open nothing does: who knows its password
        was told by somebody."""
        bans = (each for each in self.address_bans if network in each.networks and each.until > now)
        return next(bans, None) if self.is_open else None

    def denied(self, user_id: int) -> Denial:
        return self.denials.get(user_id, NOTHING_DENIED)


COLUMNS = (
    rooms.c.id,
    rooms.c.owner_id,
    rooms.c.anchor_password,
    rooms.c.assist_password,
    rooms.c.user_password,
    rooms.c.password_generation,
    rooms.c.gate_shut_until,
    rooms.c.is_open,
)


def parse_room_id(text: str) -> int | None:
    """The id that a text spells as we give it out: decimal, without leading zeros, at most LAST_ROOM_ID."""
    number = int(text) if re.fullmatch(ROOM_ID, text) else 0
    return number if 0 < number <= LAST_ROOM_ID else None


class RightsOfRooms:
    """The cache behind verdicts. Writers put what they have committed; nothing else changes it."""

    def __init__(self, store: Store, vault: Vault) -> None:
        self._store = store
        self._vault = vault
        self._rights: dict[int, Rights] = {}
        self._denials: dict[int, dict[int, Denial]] = {}
        self._users_void: dict[int, int] = {}
        self._address_bans: dict[int, tuple[AddressBan, ...]] = {}

    async def load(self) -> None:
        """Raises Unusable where no room's passwords open. What was sealed with a key of before is sealed anew."""
        stale = []
        rows = await self._store.fetch_all(sa.select(*COLUMNS))
        self._vault.require_any(rows)
        for row in rows:
            if not self.note(row):
                log.error("room's passwords do not open", room=row["id"])
            elif not self._vault.is_current(row):
                stale.append([row["id"], *self._vault.seal(self._vault.passwords(row), row["owner_id"]).values()])
        if stale:
            fresh = listed(stale, ("id", *SEALED)).subquery()
            sealed = {column: fresh.c[column] for column in SEALED}
            await self._store.write(rooms.update().where(rooms.c.id == fresh.c.id).values(sealed))

    def of(self, room_id: int) -> Rights | None:
        return self._rights.get(room_id)

    def named(self, name: str) -> Rights | None:
        """The room that a stream's name means."""
        number = parse_room_id(name)
        return None if number is None else self._rights.get(number)

    def note(self, row: Row) -> bool:
        """Whether all its passwords open. `row` has COLUMNS."""
        anchor, assist, user = (self._vault.opened(row, column) for column in SEALED)
        self.put(
            Rights(
                room_id=row["id"],
                owner_id=row["owner_id"],
                anchor_password=anchor,
                assist_password=assist,
                user_password=user,
                password_generation=row["password_generation"],
                gate_shut_until=row["gate_shut_until"],
                is_open=bool(row["is_open"]),
            )
        )
        return bool(anchor and assist and user)

    def put(self, rights: Rights) -> None:
        """What the room denies its users stays."""
        self._rights[rights.room_id] = replace(
            rights,
            denials=self._denials.get(rights.room_id, _NOBODY),
            address_bans=self._address_bans.get(rights.room_id, ()),
        )

    def ban(self, room_id: int, user_id: int, until: Epoch) -> None:
        """0 lifts it."""
        self._deny(room_id, user_id, banned_until=until)

    def ban_addresses(self, room_id: int, user_id: int, ban: AddressBan | None) -> None:
        """In place of what there was of this user's; None lifts it."""
        others = tuple(each for each in self._address_bans.get(room_id, ()) if each.user_id != user_id)
        self._address_bans[room_id] = (*others, ban) if ban else others
        if room_id in self._rights:
            self.put(self._rights[room_id])

    def void(self, room_id: int, user_id: int, until_expiry_ms: int) -> None:
        self._deny(room_id, user_id, void_until_ms=until_expiry_ms)

    def void_everywhere(self, user_id: int, until_expiry_ms: int) -> None:
        """Their tickets for any room."""
        self._users_void[user_id] = until_expiry_ms

    def void_everywhere_until(self, user_id: int) -> int:
        """0 where none is; milliseconds since the epoch."""
        return self._users_void.get(user_id, 0)

    def _deny(self, room_id: int, user_id: int, **changes: float) -> None:
        denials = self._denials.setdefault(room_id, {})
        denial = replace(denials.pop(user_id, NOTHING_DENIED), **changes)  # type: ignore[arg-type]
        if denial != NOTHING_DENIED:
            denials[user_id] = denial
        rights = self._rights.get(room_id)
        if rights is not None and rights.denials is not denials:
            self.put(rights)
