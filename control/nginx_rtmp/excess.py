"""Publishers whose stream is more than their room may have: the owner is warned, and it is ended if it stays so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa

from control.access.quotas import Quota
from control.access.rights import RightsOfRooms
from control.clock import Clock, Ticks
from control.live.capacity import Capacity
from control.live.presence import Presence, Session, SessionKey
from control.live.states import Ending, State
from control.nginx_rtmp.drops import Drops
from control.ops.causes import because
from control.refusals import Denied
from control.storage.database import Store, numbered
from control.storage.room_events import EventKind, Gathering
from control.storage.tables import broadcasts

EVERY = 5.0  # seconds between two looks
LIMIT = "a limit"
PATIENCE = 30.0  # seconds that a stream may be too much after the warning
BARRED = 60.0  # seconds in which the room is not pushed to after that: an encoder is back at once, with the same
SOON = 600.0  # seconds before the hours of a day are over, in which the owner is told
DAY = 86400.0  # seconds


@dataclass(frozen=True, slots=True)
class Excess:
    """As the studio shows it."""

    limit: str
    value: int
    most: int
    seconds: int
    """Until the stream is ended."""


@dataclass(slots=True)
class _Watched:
    """One publisher."""

    warned: dict[str, Ticks] = field(default_factory=dict)
    """When it was warned, by limit."""
    excesses: list[Excess] = field(default_factory=list)


@dataclass(kw_only=True)
class ExcessGuard:
    store: Store
    presence: Presence
    rights: RightsOfRooms
    capacity: Capacity
    drops: Drops
    events: Gathering
    clock: Clock
    _watched: dict[SessionKey, _Watched] = field(default_factory=dict)
    _barred: dict[int, tuple[Ticks, str]] = field(default_factory=dict)
    """Until when, and for which limit."""

    async def admit(self, room_id: int) -> None:
        """For a publisher. Raises Denied where its node is full, or the room was ended just now, or was on air for long
        enough."""
        self.capacity.require_room(room_id)
        until, limit = self._barred.get(room_id, (Ticks(0.0), ""))
        if until > self.clock.ticks():
            raise Denied(f"over its limit: {limit}")
        room = await self.rights.of(room_id)
        if room is not None and room.quota.hours:
            used = await self._used([room.room_id])
            if used.get(room.room_id, 0.0) >= room.quota.hours * 3600:
                self._tell(room.room_id, _hours(used[room.room_id], room.quota), "refuse")
                raise Denied("over its limit: hours")

    def of(self, room_id: int) -> list[Excess]:
        """What is too much of its stream now."""
        publisher = self.presence.publisher(room_id)
        watched = self._watched.get(publisher.key) if publisher else None
        return watched.excesses if watched else []

    async def step(self) -> None:
        because.set(LIMIT)
        now = self.clock.ticks()
        self._barred = {room_id: barred for room_id, barred in self._barred.items() if barred[0] > now}
        live = {each.key: each for each in self.presence.publishers() if each.live}
        self._watched = {key: watched for key, watched in self._watched.items() if key in live}
        rooms = await self.rights.of_all({each.room_id for each in live.values()})
        limited = {room_id: room.quota for room_id, room in rooms.items() if any(room.quota[1:])}
        timed = [room_id for room_id, quota in limited.items() if quota.hours]
        used = await self._used(timed) if timed else {}
        for session in live.values():
            quota = limited.get(session.room_id)
            if session.state is State.ENDING:
                continue  # it was ended before
            if quota is not None:
                await self._look(session, quota, used)
            else:
                self._watched.pop(session.key, None)

    async def _look(self, session: Session, quota: Quota, used: Mapping[int, float]) -> None:
        watched, now = self._watched.setdefault(session.key, _Watched()), self.clock.ticks()
        found = {each.limit: each for each in self._found(session, quota, used)}
        watched.warned = {limit: watched.warned[limit] for limit in found if limit in watched.warned}
        watched.excesses = []
        for limit, excess in found.items():
            if limit not in watched.warned:
                watched.warned[limit] = now
                self._tell(session.room_id, excess, "warn")
            left = excess.seconds if limit == "hours" else PATIENCE - (now - watched.warned[limit])
            watched.excesses.append(Excess(limit, excess.value, excess.most, max(0, round(left))))
            if left <= 0:
                self._tell(session.room_id, excess, "end")
                self._barred[session.room_id] = Ticks(now + BARRED), limit
                await self.drops.drop(session, f"over its limit: {limit}", Ending.LIMIT)
                return

    def _found(self, session: Session, quota: Quota, used: Mapping[int, float]) -> list[Excess]:
        found, info = [], session.stream_info
        if info is not None and quota.kbps and info.bits_per_second > 1000 * quota.kbps:
            found.append(Excess("kbps", round(info.bits_per_second / 1000), quota.kbps, 0))
        if info is not None and quota.height and min(info.width, info.height) > quota.height:
            found.append(Excess("height", min(info.width, info.height), quota.height, 0))
        if quota.hours and used.get(session.room_id, 0.0) > quota.hours * 3600 - SOON:
            found.append(_hours(used[session.room_id], quota))
        return found

    async def _used(self, room_ids: list[int]) -> dict[int, float]:
        """Seconds that each was on air within a day. What goes on was written some seconds ago."""
        begin = self.clock.now() - DAY
        ended = sa.func.coalesce(broadcasts.c.ended_at, broadcasts.c.seen_at)
        began = sa.case((broadcasts.c.started_at > begin, broadcasts.c.started_at), else_=begin)
        total = sa.func.sum(ended - began).label("total")
        mine = broadcasts.c.room_id.in_(sa.select(numbered(room_ids).c.value))
        query = sa.select(broadcasts.c.room_id, total).where(mine, ended > begin).group_by(broadcasts.c.room_id)
        return {row["room_id"]: float(row["total"] or 0) for row in await self.store.fetch_all(query)}

    def _tell(self, room_id: int, excess: Excess, action: str) -> None:
        details = {"limit": excess.limit, "value": excess.value, "most": excess.most, "action": action}
        self.events.put(room_id, EventKind.LIMIT, **details)


def _hours(used: float, quota: Quota) -> Excess:
    return Excess("hours", round(used / 3600), quota.hours, max(0, round(quota.hours * 3600 - used)))
