"""Users who may not watch a room for a time.

A ban follows the user. A client that shows the room's viewing password instead of a ticket does not say who it is: in
an open room, where every user is told the password, none is let in by it from where a banned user watched, and no
account that was made since the ban watches from there. Who has had an account before still does, by ticket.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from control.access.denials import DenialsOfUsers
from control.access.rights import AddressBan, Rights
from control.accounts.users import User
from control.clock import Clock, Epoch
from control.ops.addresses import network
from control.refusals import BadParameter, NoSuchAccount
from control.storage.changes import Change, Changed, Changes
from control.storage.database import Store, insert, listed
from control.storage.room_events import EventKind, RoomEvent, RoomEvents
from control.storage.tables import LAST_USER_ID, address_bans, bans, users

DEFAULT, LOW, HIGH = 3600, 1, 365 * 86400  # seconds
MOST_NETWORKS = 20  # of one user


@dataclass(frozen=True, slots=True)
class Ban:
    user_id: int
    nick_name: str
    seconds_left: float


class Bans:
    """Writes them; `rights` and `denials` have them for verdicts."""

    def __init__(
        self, *, store: Store, denials: DenialsOfUsers, changes: Changes, clock: Clock, events: RoomEvents
    ) -> None:
        self._store = store
        self._events = events
        self._denials = denials
        self._changes = changes
        self._clock = clock

    async def purge(self) -> None:
        """Deletes from the database what has no effect any more."""
        await self._store.write(address_bans.delete().where(address_bans.c.until <= self._clock.now()))

    async def seconds_left(self, room_id: int, user_id: int) -> float:
        """0 for a user who is not banned."""
        return (await self._denials.of(user_id)).banned(room_id, self._clock.now())

    def keeps_out(self, room: Rights, user: User, address: str) -> bool:
        """Whether the user has made their account since somebody was banned at their address."""
        ban = room.address_ban(network(address), self._clock.now())
        return ban is not None and user.created_at >= ban.since and user.id != room.owner_id

    async def ban(self, room: Rights, user_id: int, seconds: int, addresses: Iterable[str] = ()) -> None:
        """`seconds`: 1 to a year, from now. `addresses`: where the user watches from. Raises BadParameter, also for the
        room's owner, and NoSuchAccount."""
        if not LOW <= seconds <= HIGH:
            raise BadParameter("timeout")
        if user_id == room.owner_id:
            raise BadParameter("userId")
        if user_id > LAST_USER_ID:
            raise NoSuchAccount
        now = self._clock.now()
        until = Epoch(now + seconds)
        before = [each for each in room.address_bans if each.user_id == user_id and each.until > now]
        networks = frozenset(network(each) for each in addresses if each).union(*(each.networks for each in before))
        since = min((each.since for each in before), default=now)
        ban = AddressBan(user_id, frozenset(sorted(networks)[:MOST_NETWORKS]), since, until)
        await self._write(room.room_id, ban)

    async def _write(self, room_id: int, ban: AddressBan) -> None:
        """Raises NoSuchAccount."""
        seconds = round(ban.until - self._clock.now())
        event = RoomEvent(
            room_id, EventKind.BANNED, {"userId": ban.user_id, "seconds": seconds, "until": int(ban.until)}
        )
        user = sa.select(sa.literal(room_id), users.c.id, sa.literal(ban.until)).where(users.c.id == ban.user_id)
        row = insert(bans).from_select(("room_id", "user_id", "until"), user)
        upsert = row.on_conflict_do_update(index_elements=["room_id", "user_id"], set_={"until": row.excluded.until})
        async with self._changes.writing() as (connection, note):
            if await connection.fetch_one(upsert.returning(bans.c.user_id)) is None:
                raise NoSuchAccount
            await connection.execute(_of_addresses(room_id, ban.user_id))
            rows = [[room_id, ban.user_id, each, ban.since, ban.until] for each in sorted(ban.networks)]
            names = ("room_id", "user_id", "network", "since", "until")
            await connection.execute(address_bans.insert().from_select(names, listed(rows, address_bans.c[names])))
            await self._events.write(connection, [event])
            note(Change(Changed.BANS, room_id, ban.user_id))
        self._events.written([event])

    async def lift(self, room: Rights, user_id: int) -> None:
        """Nothing changes for a user who is not banned."""
        if room.room_id not in (await self._denials.of(user_id)).banned_until:
            return
        lifted = bans.delete().where(bans.c.room_id == room.room_id, bans.c.user_id == user_id)
        change = Change(Changed.BANS, room.room_id, user_id)
        await self._changes.write(change, lifted, _of_addresses(room.room_id, user_id))

    async def of_room(self, room_id: int, most: int) -> list[Ban]:
        """Those that still hold, the last to end first."""
        now = self._clock.now()
        query = sa.select(bans.c.user_id, bans.c.until, users.c.nick_name).join(users, users.c.id == bans.c.user_id)
        rows = await self._store.fetch_all(
            query.where(bans.c.room_id == room_id, bans.c.until > now).order_by(bans.c.until.desc()).limit(most)
        )
        return [Ban(row["user_id"], row["nick_name"], row["until"] - now) for row in rows]


def _of_addresses(room_id: int, user_id: int) -> sa.Delete:
    return address_bans.delete().where(address_bans.c.room_id == room_id, address_bans.c.user_id == user_id)
