"""What happened in each room, numbered from 1 up, for its owner's programs: webhooks, and whoever asks.

The nodes' log tells what changed, for minutes, and lies in memory elsewhere. This is kept for days. An event is written
in the transaction that makes it true, in the one line of all who write, so numbers have no gaps and are seen in their
order. What is too frequent for that, or true of no row, is gathered and written once a second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from itertools import islice
from typing import Any, NamedTuple, Protocol

import orjson
import sqlalchemy as sa
import structlog

from control.clock import Clock, Epoch
from control.storage.cache import Cache
from control.storage.database import Connection, Row, Store, insert, listed, numbered
from control.storage.log import Entry, Log
from control.storage.rows import in_rooms
from control.storage.tables import room_events, webhooks

KEPT = 259200.0  # seconds: three days, of which webhooks use two
MOST_KEPT = 100_000  # of one room, however young
GATHERED = 1.0  # seconds in which those that are written later are gathered
MOST_GATHERED = 5000  # more than that are lost, which is logged
AT_A_TIME = 500  # that are written in one statement
EVENTS = "events"
COLUMNS = ("room_id", "number", "at", "kind", "details")

log = structlog.get_logger()


class EventKind(StrEnum):
    LIVE = "room.live"
    """A broadcast has begun, or one that was believed over goes on."""
    ENDED = "room.ended"
    """It is over, for longer than a gap that it may have."""
    REFUSED = "publish.refused"
    JOINED = "viewer.joined"
    LEFT = "viewer.left"
    ALERT = "ingest.alert"
    """What is wrong with what the publisher sends has changed."""
    BANNED = "user.banned"
    LIMIT = "limit.reached"
    """One that the operator has set."""


OF_VIEWERS = frozenset({EventKind.JOINED, EventKind.LEFT})
"""Written only where a webhook asks for them."""


class RoomEvent(NamedTuple):
    room_id: int
    kind: EventKind
    details: Mapping[str, Any]
    """What JSON can say."""


class Numbered(NamedTuple):
    """An event as it is kept."""

    number: int
    at: Epoch
    kind: str
    details: dict[str, Any]


class Gathering(Protocol):
    """What takes events that are written later."""

    def put(self, room_id: int, kind: EventKind, **details: Any) -> None: ...


class RoomEvents:
    """`log`: where other nodes are told of events; `shared`: whether there may be any. Of `most` rooms it is in memory
    how far their numbers go."""

    def __init__(self, *, store: Store, clock: Clock, log: Log, shared: bool, most: int) -> None:
        self._store = store
        self._clock = clock
        self._log = log
        self._shared = shared
        self._last: Cache[int, int] = Cache(self._load_last, most)
        self._gathered: list[RoomEvent] = []
        self._lost = 0
        self._grown: set[int] = set()
        """Rooms with new ones since the last purge."""
        self.listeners: list[Callable[[Iterable[int]], None]] = []
        """Told of rooms that have new ones, whichever node wrote them."""
        self._log.on(EVENTS, self._heard)
        self._log.when_behind(self._begin_anew)

    async def write(self, connection: Connection, events: Sequence[RoomEvent]) -> None:
        """In the caller's transaction, who calls `written` after the commit. Of a room that is gone, nothing."""
        for some in _parts(events):
            now = self._clock.now()
            await connection.execute(_inserted(some, now))
            rooms = sorted({event.room_id for event in some})
            await connection.execute(_due(rooms, now))
            if self._shared:
                await connection.execute(self._log.entries([(EVENTS, 0, 0, orjson.dumps(rooms).decode())]))

    def written(self, events: Iterable[RoomEvent]) -> None:
        rooms = {event.room_id for event in events}
        self._grown |= rooms
        self._tell(rooms)

    def put(self, room_id: int, kind: EventKind, **details: Any) -> None:
        """Has it written within a second. A control that is killed before that loses it."""
        if len(self._gathered) < MOST_GATHERED:
            self._gathered.append(RoomEvent(room_id, kind, details))
        else:
            self._lost += 1

    async def flush(self) -> None:
        gathered, self._gathered = self._gathered, []
        lost, self._lost = self._lost, 0
        if lost:
            log.warning("events lost", count=lost)
        if gathered:
            async with self._store.writing() as connection:
                await self.write(connection, gathered)
            self.written(gathered)

    async def after(self, room_id: int, number: int, most: int) -> list[Numbered]:
        """Those of a room with higher numbers, the oldest first."""
        if await self.last(room_id) <= number:
            return []
        query = sa.select(room_events).where(room_events.c.room_id == room_id, room_events.c.number > number)
        rows = await self._store.fetch_all(query.order_by(room_events.c.number).limit(most))
        return [_read(row) for row in rows]

    async def last(self, room_id: int) -> int:
        """The number of its newest; 0 for none."""
        return await self._last.get(room_id) or 0

    async def purge(self) -> None:
        """Deletes what is older than KEPT, or too much; never a room's newest, from which numbers go on."""
        grown, self._grown = sorted(self._grown), set()
        later = room_events.alias("later")
        last = sa.select(sa.func.max(later.c.number)).where(later.c.room_id == room_events.c.room_id).scalar_subquery()
        old = room_events.delete().where(room_events.c.at < self._clock.now() - KEPT, room_events.c.number < last)
        await self._store.write(old)
        for room_id in grown:
            full = room_events.c.number <= newest(room_id).scalar_subquery() - MOST_KEPT
            await self._store.write(room_events.delete().where(room_events.c.room_id == room_id, full))

    def _heard(self, entry: Entry) -> None:
        self._tell(orjson.loads(entry.details))

    async def _begin_anew(self) -> None:
        self._last.clear()

    async def _load_last(self, rooms: Sequence[int]) -> dict[int, int]:
        """0 for a room that has none."""
        number = sa.func.max(room_events.c.number).label("number")
        these = room_events.c.room_id.in_(sa.select(numbered(rooms).c.value))
        query = sa.select(room_events.c.room_id, number).where(these).group_by(room_events.c.room_id)
        found = {row["room_id"]: row["number"] for row in await self._store.fetch_all(query)}
        return dict.fromkeys(rooms, 0) | found

    def _tell(self, rooms: Iterable[int]) -> None:
        for room_id in rooms:
            self._last.forget(room_id)
        for listener in self.listeners:
            listener(rooms)


def newest(room_id: int) -> sa.Select[Any]:
    """The number of a room's last event; NULL for none."""
    later = room_events.alias("later")
    return sa.select(sa.func.max(later.c.number)).where(later.c.room_id == room_id)


def _inserted(events: Sequence[RoomEvent], now: Epoch) -> sa.sql.ClauseElement:
    place = sa.column("place", sa.Integer)
    rows = [
        (each.room_id, number, each.kind, orjson.dumps(each.details).decode()) for number, each in enumerate(events)
    ]
    fresh = listed(rows, (room_events.c.room_id, place, room_events.c.kind, room_events.c.details)).subquery()
    later = room_events.alias("later")
    last = sa.select(sa.func.max(later.c.number)).where(later.c.room_id == fresh.c.room_id).scalar_subquery()
    turn = sa.func.row_number().over(partition_by=fresh.c.room_id, order_by=fresh.c.place)
    number = (sa.func.coalesce(last, 0) + turn).label("number")
    at = sa.literal(now, sa.Float).label("at")
    chosen = sa.select(fresh.c.room_id, number, at, fresh.c.kind, fresh.c.details)
    return insert(room_events).from_select(COLUMNS, in_rooms(chosen))


def _due(rooms: Sequence[int], now: Epoch) -> sa.sql.ClauseElement:
    """Webhooks that have nothing to post have something now."""
    idle = sa.and_(webhooks.c.due_at.is_(None), webhooks.c.paused == sa.false())
    these = webhooks.c.room_id.in_(sa.select(numbered(rooms).c.value))
    return webhooks.update().where(these, idle).values(due_at=now)


def _parts(events: Iterable[RoomEvent]) -> Iterable[list[RoomEvent]]:
    left = iter(events)
    while some := list(islice(left, AT_A_TIME)):
        yield some


def _read(row: Row) -> Numbered:
    return Numbered(row["number"], row["at"], row["kind"], orjson.loads(row["details"]))
