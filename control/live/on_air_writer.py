"""Writes what this node has on air, where every node's lists read it: what changed, gathered into one write, and what
stays, before it expires."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, takewhile, zip_longest
from math import inf
from typing import NamedTuple, TypeVar

import orjson
import sqlalchemy as sa

from control.clock import Clock, Ticks
from control.live.audience import Audience, RoomNow
from control.live.broadcast_events import BroadcastEvents, Told
from control.live.broadcast_store import changes
from control.live.broadcasts import Broadcast, Broadcasts
from control.live.presence import Presence
from control.ops import metrics
from control.storage.database import Store, insert, listed, numbered
from control.storage.log import Log
from control.storage.rows import in_rooms
from control.storage.tables import on_air

LIFETIME = 15.0  # seconds that a row is believed
AGAIN = 5.0  # seconds after which it is renewed at the latest
LOOK = 1.0  # seconds between two looks for rows to renew
TOGETHER = 0.1  # seconds in which changes are gathered into one write
AT_A_TIME = 100  # rooms that are looked at before others have their turn
PASSAGES = 500  # likewise, comings and goings of viewers that are counted
AT_ONCE = 400  # rooms that are written in one transaction

ON_AIR = "on air"

T = TypeVar("T")
COLUMNS = ("node", "room_id", "live_since", "players", "expires_at")


class OnAir(NamedTuple):
    """One room, as one node has it."""

    room_id: int
    live_since: float | None
    """Seconds since the epoch; None: viewers wait, there is no publisher."""
    players: int

    @property
    def is_over(self) -> bool:
        """Neither live nor watched."""
        return self.live_since is None and not self.players


NEVER = Ticks(-inf)
NOTHING = OnAir(0, None, 0)


@dataclass(kw_only=True)
class OnAirWriter:
    store: Store
    node: str
    presence: Presence
    audience: Audience
    broadcasts: Broadcasts
    clock: Clock
    is_here: Callable[[int], bool] = lambda _: True
    """Whether a publisher of the room may be on air here: not one that has lost it to another node."""
    log: Log | None = None
    """Where other nodes are told of it, if there may be any."""
    observers: list[Callable[[Iterable[OnAir]], None]] = field(default_factory=list)
    """Told how rooms of this node are that changed, once `broadcasts` know of it."""
    events: BroadcastEvents | None = None
    """What is written of broadcasts' beginnings and ends."""
    _on_air: dict[int, OnAir] = field(default_factory=dict)
    """As observers were told. By room."""
    _unwritten: dict[int, None] = field(default_factory=dict)
    """Rooms whose row is not as they are, in the order of their changes."""
    _written: dict[int, Ticks] = field(default_factory=dict)
    """When a room's row was, the oldest first."""
    _told: dict[int, OnAir] = field(default_factory=dict)
    """As other nodes were."""
    _live: int = 0
    _players: int = 0
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        if self.log:
            self.log.when_behind(self._begin_anew)

    async def load(self) -> None:
        """Rooms that the control before had on air are looked at, whether they still are or not."""
        for row in await self.store.fetch_all(sa.select(on_air.c.room_id).where(on_air.c.node == self.node)):
            self._written[row["room_id"]] = NEVER

    async def next_change(self) -> None:
        """Returns when there is something to write, or rows may have to be renewed."""
        try:
            async with self.clock.within(LOOK):
                await self.presence.changed.wait()
                await self.clock.sleep(TOGETHER)
        except TimeoutError:
            pass  # nothing changed

    async def write(self, again: float = AGAIN - LOOK) -> None:
        """What changed, and what was written that many seconds ago. What fails is written again before it is missed."""
        async with self._turn:  # a write that is overtaken would put back what was before
            self.presence.changed.clear()
            self.broadcasts.observe(())  # some may be over for good
            changed = dict.fromkeys(self._outdated(self.clock.ticks() - again))
            while rooms := self.audience.changed(PASSAGES):
                changed |= dict.fromkeys(rooms)
                await asyncio.sleep(0)
            for rooms in _batches(list(changed), AT_A_TIME):
                self._observe(rooms)
                await asyncio.sleep(0)
            rows, broadcasts = _batches(list(self._unwritten), AT_ONCE), _batches(self.broadcasts.unsaved(), AT_ONCE)
            for rooms, unsaved in zip_longest(rows, broadcasts, fillvalue=()):
                await self._write(rooms, unsaved)

    @property
    def players(self) -> int:
        """Who watches at this node, as observers were told."""
        return self._players

    def tell_again(self) -> None:
        """Others have forgotten what they were told, or were never told."""
        self._told.clear()
        self.broadcasts.forget_told()
        self._unwritten |= dict.fromkeys(self._on_air)
        self.presence.changed.set()

    async def _begin_anew(self) -> None:
        self.tell_again()

    def _outdated(self, ticks: float) -> list[int]:
        """Rooms whose row is to be written again. Where nodes know of each other, a row holds for as long as its node
        lives, and only a broadcast tells how far it has come: a room may have viewers at very many of them."""
        old = [room_id for room_id, _ in takewhile(lambda written: written[1] <= ticks, self._written.items())]
        if self.log is None:
            return old
        outdated = []
        for room_id in old:
            room = self._on_air.get(room_id)
            if room is None or room.live_since is not None:
                outdated.append(room_id)
            else:
                del self._written[room_id]
                self._written[room_id] = self.clock.ticks()
        return outdated

    def _observe(self, room_ids: Iterable[int]) -> None:
        rooms = [self._room(room_id) for room_id in room_ids]
        self.broadcasts.observe(rooms)
        now_on_air = [OnAir(room.room_id, self._live_since(room), room.players) for room in rooms]
        for observer in self.observers:
            observer(now_on_air)
        for room in now_on_air:
            self._take(room)
        metrics.live_rooms.set(self._live)
        metrics.players.set(self._players)

    def _room(self, room_id: int) -> RoomNow:
        room = self.audience.room(room_id)
        return room if self.is_here(room_id) else room._replace(publisher=None)

    def _take(self, room: OnAir) -> None:
        before = self._on_air.pop(room.room_id, NOTHING)
        if not room.is_over:
            self._on_air[room.room_id] = room
        self._live += (room.live_since is not None) - (before.live_since is not None)
        self._players += room.players - before.players
        self._unwritten[room.room_id] = None

    async def _write(self, rooms: Sequence[int], broadcasts: Sequence[Broadcast]) -> None:
        written_at = self.clock.ticks()
        news = self._news(rooms) if self.log else {}
        async with self.store.writing() as connection:
            for statement in chain(self._rows(rooms), changes(broadcasts)):
                await connection.execute(statement)
            told = await self.events.write(connection, broadcasts) if self.events else Told()
            if news and self.log:
                details = orjson.dumps([[*each] for each in news.values()]).decode()
                await connection.execute(self.log.entries([(ON_AIR, 0, 0, details)]))
        self._told |= news
        if self.events:
            self.events.written(told)
        self.broadcasts.saved(broadcasts)
        for room_id in rooms:
            del self._unwritten[room_id]
            self._written.pop(room_id, None)
            if room_id in self._on_air:
                self._written[room_id] = written_at

    def _news(self, room_ids: Iterable[int]) -> dict[int, OnAir]:
        """Those of the rooms that are not as others were told."""
        now = {room_id: self._on_air.get(room_id) or OnAir(room_id, None, 0) for room_id in room_ids}
        return {room_id: room for room_id, room in now.items() if self._told.get(room_id) != room}

    def _rows(self, room_ids: Iterable[int]) -> Iterator[sa.sql.ClauseElement]:
        there, gone = [], []
        for room_id in room_ids:
            room = self._on_air.get(room_id)
            there.append(room) if room else gone.append(room_id)
        if there:
            expires_at = self.clock.now() + LIFETIME
            values = [(self.node, room.room_id, room.live_since, room.players, expires_at) for room in there]
            upsert = insert(on_air).from_select(COLUMNS, in_rooms(listed(values, on_air.c[COLUMNS])))
            said = {name: upsert.excluded[name] for name in ("live_since", "players", "expires_at")}
            yield upsert.on_conflict_do_update(index_elements=["node", "room_id"], set_=said)
        if gone:
            rooms = sa.select(numbered(gone).c.value)
            yield on_air.delete().where(on_air.c.node == self.node, on_air.c.room_id.in_(rooms))

    def _live_since(self, room: RoomNow) -> float | None:
        broadcast = self.broadcasts.of_room(room.room_id)
        return broadcast.started_at if broadcast and room.publisher else None


def _batches(items: Sequence[T], most: int) -> Iterator[Sequence[T]]:
    return (items[start : start + most] for start in range(0, len(items), most))
