"""`room.live` and `room.ended`: once for each broadcast, and none for a gap in it.

What was told of a broadcast stands in its row, which is compared in the transaction that writes the event: so none is
written twice, whichever control or node comes to write it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from control.clock import Clock, Epoch
from control.live.broadcasts import Broadcast
from control.live.states import Ending
from control.storage.database import Connection, Row, Store, insert, listed
from control.storage.room_events import EventKind, RoomEvent, RoomEvents
from control.storage.tables import broadcasts, follows, notices

NAME = ("room_id", "started_at")
SILENT = 60.0  # seconds since it was last written, after which a broadcast's node is believed to have ended
LOOK = 10.0  # seconds between two looks for such
CERTAIN = 5.0  # seconds that a broadcast has to go on until those who follow the room are told
AT_A_TIME = 500  # of them

Name = tuple[int, Epoch]


@dataclass(frozen=True, slots=True)
class Told:
    """What was written, for after the commit."""

    events: list[RoomEvent] = field(default_factory=list)
    broadcasts: list[tuple[Broadcast, EventKind]] = field(default_factory=list)


class BroadcastEvents:
    def __init__(self, store: Store, events: RoomEvents, clock: Clock) -> None:
        self._store = store
        self._events = events
        self._clock = clock

    async def write(self, connection: Connection, changed: Sequence[Broadcast]) -> Told:
        """In the transaction that has just written these. The caller calls `written` after the commit."""
        pending = [(each, news) for each in changed if (news := each.news) is not None and news != each.told]
        if not pending:
            return Told()
        before = await _told_before(connection, [each.name for each, _ in pending])
        fresh = [(each, news) for each, news in pending if before.get(_key(*each.name), news) != news]
        # What nobody was told has begun needs no end.
        said = [
            _event(each, news)
            for each, news in fresh
            if news is EventKind.LIVE or before[_key(*each.name)] == EventKind.LIVE
        ]
        if fresh:
            await self._events.write(connection, said)
            begun = [each.name for each, news in fresh if news is EventKind.LIVE]
            if begun:
                await connection.execute(_noticed(begun, Epoch(self._clock.now() + CERTAIN)))
            await connection.execute(_now_told([(*each.name, news) for each, news in fresh]))
        return Told(said, pending)

    def written(self, told: Told) -> None:
        for broadcast, news in told.broadcasts:
            broadcast.told = news
        if told.events:
            self._events.written(told.events)

    async def end_lost(self) -> None:
        """Those of nodes that have ended, which nobody else would write."""
        old = self._clock.now() - SILENT
        lost = sa.and_(
            broadcasts.c.closed == sa.false(), broadcasts.c.told == EventKind.LIVE.value, broadcasts.c.seen_at < old
        )
        if not await self._store.fetch_all(sa.select(broadcasts.c.room_id).where(lost).limit(1)):
            return
        async with self._store.writing() as connection:
            rows = await connection.fetch_all(sa.select(broadcasts).where(lost).limit(AT_A_TIME))
            events = [_lost(row) for row in rows]
            if rows:
                await self._events.write(connection, events)
                await connection.execute(
                    _now_told([(row["room_id"], row["started_at"], EventKind.ENDED) for row in rows])
                )
        self._events.written(events)


async def _told_before(connection: Connection, names: Iterable[Name]) -> dict[tuple[int, int], str]:
    """Of those that are written down; "" for nothing."""
    name = sa.tuple_(*(broadcasts.c[column] for column in NAME))
    these = name.in_(listed([*names], broadcasts.c[NAME]))
    rows = await connection.fetch_all(sa.select(*broadcasts.c[(*NAME, "told")]).where(these))
    return {_key(row["room_id"], row["started_at"]): row["told"] for row in rows}


def _key(room_id: int, started_at: float) -> tuple[int, int]:
    """Databases may read the last digit of a number from JSON as another."""
    return room_id, round(started_at * 1000)


def _now_told(rows: Sequence[tuple[int, Epoch, EventKind]]) -> sa.Update:
    fresh = listed(rows, broadcasts.c[(*NAME, "told")]).subquery()
    same = (broadcasts.c[column] == fresh.c[column] for column in NAME)
    return broadcasts.update().where(*same).values(told=fresh.c.told)


def _noticed(begun: Sequence[Name], due_at: Epoch) -> sa.sql.ClauseElement:
    """Those who follow the rooms are to be told, if nobody has told them of this broadcast."""
    fresh = listed(begun, broadcasts.c[NAME]).subquery()
    followed = sa.exists().where(follows.c.room_id == fresh.c.room_id)
    values = (sa.literal(0).label("position"), sa.literal(due_at, sa.Float).label("due_at"))
    rows = sa.select(fresh.c.room_id, fresh.c.started_at, *values).where(followed)
    return insert(notices).from_select((*NAME, "position", "due_at"), rows).on_conflict_do_nothing()


def _event(broadcast: Broadcast, news: EventKind) -> RoomEvent:
    details: dict[str, Any] = {"startTime": int(broadcast.started_at), "encoder": broadcast.encoder}
    if news is EventKind.ENDED:
        details |= _end(broadcast.started_at, broadcast.ended_at or broadcast.seen_at, broadcast.ending)
        details |= _figures(broadcast.peak, len(broadcast.viewers), broadcast.watch_seconds)
    return RoomEvent(broadcast.room_id, news, details)


def _lost(row: Row) -> RoomEvent:
    details: dict[str, Any] = {"startTime": int(row["started_at"]), "encoder": row["encoder"]}
    details |= _end(row["started_at"], row["ended_at"] or row["seen_at"], row["ending"] or Ending.LOST)
    details |= _figures(row["peak_viewers"], row["total_viewers"], row["watch_seconds"])
    return RoomEvent(row["room_id"], EventKind.ENDED, details)


def _end(started_at: float, ended_at: float, ending: str | None) -> dict[str, Any]:
    return {"endTime": int(ended_at), "duration": round(ended_at - started_at), "endReason": ending or Ending.LOST}


def _figures(peak: int, total: int, watch_seconds: float) -> dict[str, Any]:
    return {"peakCount": peak, "totalCount": total, "watchSeconds": round(watch_seconds)}
