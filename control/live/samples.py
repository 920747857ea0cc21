"""How broadcasts go, in figures: of the last minutes in memory, one every EVERY seconds, and of each broadcast in the
database, one a minute."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from control.clock import Clock, Epoch
from control.live.broadcasts import Broadcasts
from control.live.presence import Presence
from control.storage.database import Store, insert, listed
from control.storage.tables import broadcast_samples, broadcasts

EVERY = 10.0  # seconds between two
LAST = 60  # that are kept in memory of a room
MINUTE = 60.0  # seconds between two of those that are written
KEPT = 7776000.0  # seconds for which they are: 90 days
LONGEST = 1440  # that are told of one broadcast, a day's; of a longer one the last
AT_A_TIME = 200  # rooms that are looked at before others have their turn
READ_AT_ONCE = 240  # samples, likewise
NAME = ("room_id", "started_at")
FIGURES = ("at", "viewers", "bits_per_second", "frames_per_second")


@dataclass(frozen=True, slots=True)
class Sample:
    at: int
    """Seconds since the epoch."""
    viewers: int
    bits_per_second: int
    """0 where it is not known, like the next."""
    frames_per_second: float


class Samples:
    """`players` tells how many watch a room."""

    def __init__(
        self, *, store: Store, presence: Presence, broadcasts: Broadcasts, players: Callable[[int], int], clock: Clock
    ) -> None:
        self._store = store
        self._presence = presence
        self._broadcasts = broadcasts
        self._players = players
        self._clock = clock
        self._last: dict[int, array[float]] = {}
        """By room, one after the other: a thousand objects for each would be a megabyte for every ten rooms."""
        self._written_at = clock.now()

    async def step(self) -> None:
        """Takes one of every live room."""
        now, taken = self._clock.now(), list[tuple[int, Epoch, Sample]]()
        live = [session for session in self._presence.publishers() if session.live]
        for number, session in enumerate(live):
            if number % AT_A_TIME == AT_A_TIME - 1:
                await asyncio.sleep(0)
            info, broadcast = session.stream_info, self._broadcasts.of_room(session.room_id)
            if info is None or broadcast is None:
                continue  # it has just begun
            viewers = self._players(session.room_id)
            sample = Sample(int(now), viewers, info.bits_per_second, round(info.frames_per_second, 2))
            self._keep(session.room_id, sample)
            taken.append((session.room_id, broadcast.started_at, sample))
        self._forget(now - LAST * EVERY)
        if now - self._written_at >= MINUTE or now < self._written_at:
            self._written_at = now
            await self._write(taken)

    async def last(self, room_id: int) -> list[Sample]:
        """Of the last LAST * EVERY seconds, the oldest first. What an earlier control took is in the database."""
        since = self._clock.now() - LAST * EVERY
        kept = [each for each in _read(self._last.get(room_id, ())) if each.at > since]
        until = kept[0].at if kept else self._clock.now()
        these = broadcast_samples.c.at.between(int(since), int(until) - 1)
        return [*await self._of(broadcast_samples.c.room_id == room_id, these), *kept]

    def recent_bits(self, room_id: int) -> list[int]:
        """Bits a second, of those that this control took in the last LAST * EVERY seconds, the oldest first."""
        return [each.bits_per_second for each in _read(self._last.get(room_id, ()))]

    async def of_broadcast(self, room_id: int, started_at: int) -> list[Sample]:
        """Of the one that began in that second, since the epoch, the oldest first."""
        began = broadcast_samples.c.started_at
        return await self._of(broadcast_samples.c.room_id == room_id, began >= started_at, began < started_at + 1)

    async def purge(self) -> None:
        """Deletes what is older than KEPT."""
        old = broadcast_samples.c.at < int(self._clock.now() - KEPT)
        await self._store.write(broadcast_samples.delete().where(old))

    async def _of(self, *these: sa.ColumnElement[bool]) -> list[Sample]:
        columns, at = [broadcast_samples.c[name] for name in FIGURES], broadcast_samples.c.at
        newest = sa.select(*columns).where(*these).order_by(at.desc()).limit(READ_AT_ONCE)
        found = [Sample(*row) for row in await self._store.fetch_all(newest)]
        read = len(found)
        while read == READ_AT_ONCE and len(found) < LONGEST:
            rows = await self._store.fetch_all(newest.where(at < found[-1].at))
            found += (Sample(*row) for row in rows)
            read = len(rows)
        return found[::-1]

    async def _write(self, taken: Iterable[tuple[int, Epoch, Sample]]) -> None:
        """Of broadcasts that are written down themselves."""
        columns = (*NAME, *FIGURES)
        rows = [
            (room_id, started_at, each.at, each.viewers, each.bits_per_second, each.frames_per_second)
            for room_id, started_at, each in taken
        ]
        if not rows:
            return
        fresh = listed(rows, broadcast_samples.c[columns]).subquery()
        same = sa.and_(*(fresh.c[name] == broadcasts.c[name] for name in NAME))
        known = sa.select(*fresh.c).join(broadcasts, same).where(sa.true())
        await self._store.write(insert(broadcast_samples).from_select(columns, known).on_conflict_do_nothing())

    def _keep(self, room_id: int, sample: Sample) -> None:
        kept = self._last.setdefault(room_id, array("d"))
        kept.extend((sample.at, sample.viewers, sample.bits_per_second, sample.frames_per_second))
        del kept[: -LAST * len(FIGURES)]

    def _forget(self, before: float) -> None:
        """Rooms that have been off air for so long that nothing of them is told any more."""
        for room_id in [room_id for room_id, kept in self._last.items() if kept[-len(FIGURES)] <= before]:
            del self._last[room_id]


def _read(kept: Iterable[float]) -> Iterator[Sample]:
    figures = iter(kept)
    for at, viewers, bits, frames in zip(figures, figures, figures, figures, strict=True):
        yield Sample(int(at), int(viewers), int(bits), frames)
