"""Broadcasts in the database: one row for each, written while it goes on, so that a crash loses seconds of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import sqlalchemy as sa

from control.clock import Epoch, Ticks
from control.live.broadcasts import Broadcast, Broadcasts
from control.live.states import Ending
from control.storage.database import Row, Store, insert, listed
from control.storage.room_events import EventKind
from control.storage.rows import in_rooms
from control.storage.tables import broadcast_viewers, broadcasts

NAME = ("room_id", "started_at")
VIEWER = (*NAME, "viewer")
FIGURES = (
    "publisher",
    "seen_at",
    "ended_at",
    "ending",
    "encoder",
    "peak_viewers",
    "total_viewers",
    "watch_seconds",
    "closed",
)
AT_A_TIME = 500  # viewers that are written in one statement


@dataclass(frozen=True, slots=True)
class BroadcastRecord:
    """A broadcast as its room's owner is told of it."""

    started_at: Epoch
    seen_at: Epoch
    """When it was last known to be on air: seconds ago, for one that is."""
    ended_at: Epoch | None
    """None: on air."""
    ending: Ending | None
    encoder: str
    peak_viewers: int
    total_viewers: int
    watch_seconds: float


class BroadcastStore:
    """`written_every`: seconds after which what goes on is written again at the latest. `is_here` tells whether a
    room's broadcast is this node's to write."""

    def __init__(
        self, *, store: Store, broadcasts: Broadcasts, written_every: float, is_here: Callable[[int], bool]
    ) -> None:
        self._store = store
        self._broadcasts = broadcasts
        self._written_every = written_every
        self._is_here = is_here

    async def load(self) -> None:
        """Takes over what an earlier control wrote down, and what may still go on."""
        await self._resume(broadcasts.c.closed == sa.false())

    async def take_over(self, room_id: int) -> None:
        """Likewise, of a room that another node may have had: it goes on here."""
        if self._broadcasts.of_room(room_id) is not None:
            return
        await self._resume(sa.and_(broadcasts.c.closed == sa.false(), broadcasts.c.room_id == room_id))

    async def _resume(self, open_ones: sa.ColumnElement[bool]) -> None:
        same = sa.and_(*(broadcast_viewers.c[name] == broadcasts.c[name] for name in NAME))
        watched = sa.select(broadcast_viewers).join(broadcasts, same).where(open_ones)
        viewers: defaultdict[tuple[int, float], set[str]] = defaultdict(set)
        for row in await self._store.fetch_all(watched):
            viewers[row["room_id"], row["started_at"]].add(row["viewer"])
        for row in await self._store.fetch_all(sa.select(broadcasts).where(open_ones).order_by(broadcasts.c.seen_at)):
            if self._is_here(row["room_id"]):
                read = _unfinished(row, viewers[row["room_id"], row["started_at"]])
                self._broadcasts.resume(read, self._written_every)

    async def of_room(self, room_id: int, before: float, count: int) -> list[BroadcastRecord]:
        """The latest that began before that time, seconds since the epoch, 0 for now; the newest first."""
        mine = sa.select(broadcasts).where(broadcasts.c.room_id == room_id)
        if before:
            mine = mine.where(broadcasts.c.started_at < before)
        rows = await self._store.fetch_all(mine.order_by(broadcasts.c.started_at.desc()).limit(count))
        return [_record(row) for row in rows]


def changes(changed: Sequence[Broadcast]) -> Iterator[sa.sql.ClauseElement]:
    """What writes them down; of viewers no more than AT_A_TIME in one, since there may be thousands."""
    if changed:
        yield _figures(changed)
    viewers = ((*each.name, viewer) for each in changed for viewer in each.new_viewers)
    while some := list(islice(viewers, AT_A_TIME)):
        rows = insert(broadcast_viewers).from_select(VIEWER, in_rooms(listed(some, broadcast_viewers.c[VIEWER])))
        yield rows.on_conflict_do_nothing()
    if closed := [each.name for each in changed if each.closed]:
        name = sa.tuple_(*(broadcast_viewers.c[column] for column in NAME))
        yield broadcast_viewers.delete().where(name.in_(listed(closed, broadcasts.c[NAME])))


def _figures(changed: Iterable[Broadcast]) -> sa.sql.ClauseElement:
    columns = (*NAME, *FIGURES)
    rows = in_rooms(listed([_row(each) for each in changed], broadcasts.c[columns]))
    upsert = insert(broadcasts).from_select(columns, rows)
    return upsert.on_conflict_do_update(index_elements=NAME, set_={name: upsert.excluded[name] for name in FIGURES})


def _row(each: Broadcast) -> Sequence[Any]:
    return (
        *each.name,
        each.publisher,
        each.seen_at,
        each.ended_at,
        each.ending,
        each.encoder,
        each.peak,
        len(each.viewers),
        each.watch_seconds,
        each.closed,
    )


def _unfinished(row: Row, viewers: set[str]) -> Broadcast:
    return Broadcast(
        room_id=row["room_id"],
        started_at=row["started_at"],
        began=Ticks(0.0),  # settled when it is resumed
        seen_at=row["seen_at"],
        publisher=row["publisher"],
        ended_at=row["ended_at"],
        ending=_ending(row),
        encoder=row["encoder"],
        peak=row["peak_viewers"],
        watch_seconds=row["watch_seconds"],
        told=EventKind(row["told"]) if row["told"] else None,
        viewers=viewers,
    )


def _record(row: Row) -> BroadcastRecord:
    return BroadcastRecord(
        started_at=row["started_at"],
        seen_at=row["seen_at"],
        ended_at=row["ended_at"],
        ending=_ending(row),
        encoder=row["encoder"],
        peak_viewers=row["peak_viewers"],
        total_viewers=row["total_viewers"],
        watch_seconds=row["watch_seconds"],
    )


def _ending(row: Row) -> Ending | None:
    return Ending(row["ending"]) if row["ending"] else None
