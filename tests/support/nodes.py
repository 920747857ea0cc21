"""Nodes over one database, as far as what they say to each other goes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import orjson

from control.access.verdicts import Role
from control.clock import Clock
from control.live.leases import Leases
from control.live.nodes import Nodes, Peer
from control.live.on_air_writer import ON_AIR, OnAir
from control.live.presence import Presence, Session, SessionKey
from control.lobby.live_rooms import LiveRooms
from control.refusals import Denied
from control.storage.database import Store
from control.storage.log import Log
from control.storage.tables import nodes
from tests.support.world import HandClock


class StandInNode:
    """What of a node its database and the others see."""

    def __init__(self, store: Store, name: str = "local", *, shared: bool = True, clock: Clock | None = None) -> None:
        self.store, self.name, self.clock = store, name, clock or HandClock()
        self.log = Log(store, name, self.clock)
        me = Peer(name, f"10.0.0.{ord(name[0])}" if shared else "", 1935, 8080)
        self.nodes = Nodes(store=store, log=self.log, me=me, keys="the same", clock=self.clock)
        self.presence = Presence(self.clock)
        self.leases = Leases(store=store, log=self.log, nodes=self.nodes, presence=self.presence, clock=self.clock)
        self.live_rooms = LiveRooms(store=store, nodes=self.nodes, log=self.log, clock=self.clock)
        self.leases.make_way = self._make_way
        self.yields = False
        """Whether its publishers give way."""

    async def begin(self) -> StandInNode:
        await self.log.begin()
        await self.nodes.beat()
        await self.leases.load()
        await self.live_rooms.load()
        return self

    async def step(self) -> None:
        await self.log.follow()
        await self.leases.release()

    async def publish(self, room_id: int) -> None:
        """Raises Denied."""
        async with self.leases.claiming(room_id):
            self.find_publisher(room_id)

    def find_publisher(self, room_id: int) -> None:
        key = SessionKey(self.name, "start", room_id)
        self.presence.admit(Session(key, Role.PUBLISHER, room_id, "192.0.2.1", self.clock.ticks()))

    def leave(self, room_id: int) -> None:
        self.presence.end(SessionKey(self.name, "start", room_id))

    async def says(self, rooms: Iterable[OnAir]) -> None:
        details = orjson.dumps([[*room] for room in rooms]).decode()
        await self.store.write(self.log.entries([(ON_AIR, 0, 0, details)]))

    async def ends(self, store: Store | None = None) -> None:
        """As others see it, the next time they look; `store`, where it has none itself."""
        await (store or self.store).write(nodes.update().where(nodes.c.name == self.name).values(expires_at=0.0))

    async def _make_way(self, room_id: int) -> None:
        if not self.yields:
            raise Denied("already live")
        self.leave(room_id)


async def running(*members: StandInNode) -> None:
    """Follows the log, until cancelled."""
    while True:
        for member in members:
            await member.step()
        await asyncio.sleep(0.01)
