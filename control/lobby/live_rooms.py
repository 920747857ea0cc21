"""What is live and who watches, in memory: an index in the order that lists show it.

Rooms are ordered by the start of their broadcast. Of what leaves the order a log is kept, so that a list which is read
page by page learns which rooms went before it came to them.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable
from itertools import islice
from uuid import uuid4

import orjson
import sqlalchemy as sa

from control.clock import Clock
from control.live.nodes import Nodes
from control.live.on_air_writer import ON_AIR, OnAir
from control.storage.database import Store
from control.storage.log import Entry, Log
from control.storage.tables import on_air

LOGGED = 65_536  # departures
AT_A_TIME = 200  # rows that are read before others have their turn

Place = tuple[float, int]
"""A room's in the order: the start of its broadcast, in seconds since the epoch, and its id."""


class LiveRooms:
    def __init__(self, *, store: Store, nodes: Nodes, log: Log, clock: Clock) -> None:
        self._store = store
        self._nodes = nodes
        self._node = nodes.me.name
        self._clock = clock
        self._rooms: dict[int, dict[str, OnAir]] = {}
        """By node."""
        self._players: dict[int, int] = {}
        """On all nodes together."""
        self._places: dict[int, Place] = {}
        self._order: list[Place] = []
        """The newest last."""
        self._departed: deque[Place] = deque(maxlen=LOGGED)
        self._departures = 0
        self.life = uuid4().hex
        """Names what departures are counted from."""
        self._until: dict[str, float] = {}
        """When what nodes said expires that were there before this one was alone."""
        self._log = log
        self._log.on(ON_AIR, self._heard)
        self._log.when_behind(self._begin_anew)
        nodes.when_ended(self._ended)

    async def load(self) -> None:
        """What nodes that live have written down; and of this one, what the control before it did."""
        last = ("", 0)
        name, valid = sa.tuple_(on_air.c.node, on_air.c.room_id), on_air.c.expires_at > self._clock.now()
        while True:
            query = sa.select(on_air).where(name > last).order_by(*name).limit(AT_A_TIME)
            rows = await self._store.fetch_all(query if self._nodes.shared else query.where(valid))
            for row in rows:
                last = node, room_id = row["node"], row["room_id"]
                if not self._nodes.shared and node != self._node:
                    self._until[node] = max(self._until.get(node, 0.0), row["expires_at"])
                elif node != self._node and node not in self._nodes.others:
                    continue
                self._put(node, OnAir(room_id, row["live_since"], row["players"]))
            if len(rows) < AT_A_TIME:
                return

    def _heard(self, entry: Entry) -> None:
        if entry.node in self._nodes.others:
            self._take(entry.node, (OnAir(*each) for each in orjson.loads(entry.details)))

    def _ended(self, node: str) -> None:
        for room_id in [room_id for room_id, nodes in self._rooms.items() if node in nodes]:
            self._remove(node, room_id)

    async def _begin_anew(self) -> None:
        for node in self._nodes.others:
            self._ended(node)
        await self.load()

    def observe(self, now: Iterable[OnAir]) -> None:
        """How rooms of this node are now; others are as they were."""
        for node in [node for node, until in self._until.items() if until <= self._clock.now()]:
            del self._until[node]
            self._ended(node)
        self._take(self._node, now)

    def _take(self, node: str, now: Iterable[OnAir]) -> None:
        for room in now:
            if not room.is_over:
                self._put(node, room)
            elif node in self._rooms.get(room.room_id, {}):
                self._remove(node, room.room_id)

    def is_live(self, room_id: int) -> bool:
        return room_id in self._places

    def players(self, room_id: int) -> int:
        return self._players.get(room_id, 0)

    def others_with(self, room_id: int) -> set[str]:
        """Other nodes where it is live or watched."""
        return self._rooms.get(room_id, {}).keys() - {self._node}

    def place(self, room_id: int) -> Place | None:
        """None where it is not live."""
        return self._places.get(room_id)

    def rooms(self) -> Iterable[int]:
        """Every room that is live or watched."""
        return self._rooms.keys()

    @property
    def top(self) -> Place:
        """Above all that is live."""
        return (self._order[-1][0], self._order[-1][1] + 1) if self._order else (0.0, 0)

    def below(self, place: Place, most: int) -> list[Place]:
        """What is live further down, the newest first."""
        end = bisect_left(self._order, place)
        return self._order[max(0, end - most) : end][::-1]

    @property
    def departures(self) -> int:
        """How many there were, since this control began."""
        return self._departures

    def departed_since(self, number: int) -> list[Place] | None:
        """Those after that many. None where that is too long ago to be known."""
        missing = self._departures - number
        if not 0 <= missing <= len(self._departed):
            return None
        return list(islice(self._departed, len(self._departed) - missing, None))

    def _put(self, node: str, room: OnAir) -> None:
        nodes = self._rooms.setdefault(room.room_id, {})
        before = nodes.get(node)
        if before == room:
            return
        nodes[node] = room
        self._players[room.room_id] = sum(each.players for each in nodes.values())
        if before is None or before.live_since != room.live_since:
            self._place(room.room_id)

    def _remove(self, node: str, room_id: int) -> None:
        nodes = self._rooms[room_id]
        del nodes[node]
        self._players[room_id] = sum(each.players for each in nodes.values())
        if not nodes:
            del self._rooms[room_id], self._players[room_id]
        self._place(room_id)

    def _place(self, room_id: int) -> None:
        nodes = self._rooms.get(room_id, {})
        since = max((room.live_since for room in nodes.values() if room.live_since is not None), default=None)
        before, now = self._places.get(room_id), None if since is None else (since, room_id)
        if before == now:
            return
        if before is not None:
            del self._order[bisect_left(self._order, before)]
            del self._places[room_id]
            self._departed.append(before)
            self._departures += 1
        if now is not None:
            insort(self._order, now)
            self._places[room_id] = now
