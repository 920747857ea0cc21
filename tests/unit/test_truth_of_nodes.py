"""Nodes that do not hear each other for a time, are cut off, or begin anew: once all is well they say the same."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from control.access.verdicts import Role
from control.live.audience import Audience
from control.live.broadcast_store import BroadcastStore
from control.live.broadcasts import Broadcasts
from control.live.heartbeats import Heartbeats
from control.live.nodes import EVERY, LIFETIME
from control.live.on_air_writer import OnAirWriter
from control.live.presence import Session, SessionKey
from control.refusals import Denied
from control.storage import migrate
from control.storage.database import Connection, Gone, Store, opened
from control.storage.tables import broadcasts, leases
from control.storage.tables import log as log_table
from tests.support.nodes import StandInNode
from tests.support.rows import add_room
from tests.support.world import HandClock

NAMES = ("a", "b", "c")
names, others, which = st.sampled_from(NAMES), st.sampled_from(NAMES), st.sampled_from((0, 1))
GAP = 60.0  # seconds
ROUND, ROUNDS = 2 * EVERY, 2 + round(LIFETIME / (2 * EVERY))
"""Seconds between two turns of a node that still gives signs of life; and turns until others may miss those."""
STEP = 0.3  # seconds of a node that waits for others
MOST_STEPS = 60  # of them: longer than any contest


class Wire:
    """A node's way to the database, which is another connection each time that it was cut."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.failures = store.failures
        self.openings = 1
        self.cut = False

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Connection]:
        self._go()
        async with self._store.writing() as connection:
            yield connection

    async def fetch_one(self, query: sa.sql.ClauseElement) -> Any:
        self._go()
        return await self._store.fetch_one(query)

    async def fetch_all(self, query: sa.sql.ClauseElement) -> Any:
        self._go()
        return await self._store.fetch_all(query)

    async def write(self, *statements: sa.sql.ClauseElement) -> None:
        self._go()
        await self._store.write(*statements)

    def heal(self) -> None:
        self.openings += self.cut
        self.cut = False

    def _go(self) -> None:
        if self.cut:
            raise Gone


class ModelNode(StandInNode):
    """As far as it has to do with others: what its nginx has is what its presence says."""

    def __init__(self, store: Store, name: str, clock: HandClock) -> None:
        self.wire = Wire(store)
        super().__init__(self.wire, name, clock=clock)  # type: ignore[arg-type]
        heartbeats = Heartbeats(clock, self.presence.changed)
        self._audience, self._broadcasts = Audience(self.presence, heartbeats), Broadcasts(clock, GAP)
        told: dict[str, Any] = {"store": self.wire, "broadcasts": self._broadcasts, "is_here": self.leases.is_here}
        self.broadcast_store = BroadcastStore(written_every=1.0, **told)
        self.leases.taken_over.append(self.broadcast_store.take_over)
        self.leases.lost.append(self._broadcasts.give_up)
        self.writer = OnAirWriter(
            node=name,
            presence=self.presence,
            audience=self._audience,
            clock=clock,
            log=self.log,
            observers=[self.live_rooms.observe],
            **told,
        )
        self.nodes.when_forgotten(self.writer.tell_again)

    async def begin(self) -> ModelNode:
        await super().begin()
        await self.broadcast_store.load()
        await self.writer.load()
        return self

    async def step(self) -> None:
        """A look at what others did, and at what is to be said: as the loops of a control take them in turns."""
        await self.nodes.beat()
        await super().step()
        for publisher in list(self.presence.publishers()):
            if self.leases.origin(publisher.room_id) is not None:
                self.presence.end(publisher.key)  # nginx asks whether it may stay, and drops it
        await self.writer.write(again=1.0)

    def find_publisher(self, room_id: int) -> None:
        super().find_publisher(room_id)
        self.presence.hear(SessionKey(self.name, "start", room_id), timestamp=500)

    def watch(self, room_id: int, number: int) -> None:
        key = SessionKey(self.name, "players", number)
        self.presence.admit(Session(key, Role.PLAYER, room_id, "192.0.2.1", self.clock.ticks()))

    def has_publisher(self, room_id: int) -> bool:
        return self.presence.publisher(room_id) is not None

    def players(self, room_id: int) -> list[Session]:
        return [session for session in self.presence.in_room(room_id) if session.watches]


class TruthOfNodes(RuleBasedStateMachine):
    """Each rule is what happens at one node, and that node alone has a turn then, so what others say arrives late; a
    node may be cut off from the database, be taken for one that has ended, or lose what it had in memory."""

    @initialize()
    def start(self) -> None:
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name) / "qplus.db"
        shutil.copy(empty(), path)
        self.clock, self.numbers = HandClock(), count(1)
        self.lent = opened(f"sqlite:///{path}", self.clock)
        self.store = self.run(self.lent.__aenter__())
        self.rooms = [self.run(add_room(self.store, number)) for number in (1, 2)]
        self.nodes = {name: self.run(ModelNode(self.store, name, self.clock).begin()) for name in NAMES}
        self.doubled = ""

    def teardown(self) -> None:
        if not hasattr(self, "runner"):
            return
        try:
            if not self.doubled:
                self.all_agree_once_all_is_well()
        finally:
            self.run(self.lent.__aexit__(None, None, None))
            self.runner.close()
            self.folder.cleanup()

    @rule(name=names, room=which, yields=st.booleans(), heard=st.booleans())
    def publish(self, name: str, room: int, yields: bool, heard: bool) -> None:
        """It is `heard` by the others, or they have no turn until it is over."""
        node, room_id = self.nodes[name], self.rooms[room]
        if node.has_publisher(room_id):
            return
        for other in self.nodes.values():
            other.yields = yields
        awake = self.connected() if heard and not node.wire.cut else [node]
        with suppress(Denied):
            self.run(self.let_in(node, room_id, awake))
            for each in awake if not node.wire.cut else []:
                self.run(each.step())
            # One that stood still for longer than it is asked for lets in whom it may not, and drops them in its turn.
            there = [each.name for each in awake if each.has_publisher(room_id)]
            self.doubled = f"{room_id} at {there}" if len(there) > 1 else ""

    @rule(name=names, room=which)
    def unpublish(self, name: str, room: int) -> None:
        self.nodes[name].leave(self.rooms[room])

    @rule(name=names, room=which)
    def watch(self, name: str, room: int) -> None:
        self.nodes[name].watch(self.rooms[room], next(self.numbers))

    @rule(name=names, room=which)
    def stop_watching(self, name: str, room: int) -> None:
        node = self.nodes[name]
        for session in node.players(self.rooms[room])[:1]:
            node.presence.end(session.key)

    @rule(those=st.sets(names, min_size=1), trimmed=st.booleans())
    def step(self, those: set[str], trimmed: bool) -> None:
        """`trimmed`: who has no turn now falls behind."""
        for node in self.connected():
            if node.name in those:
                self.run(node.step())
        if trimmed:
            newest = sa.select(sa.func.max(log_table.c.id)).scalar_subquery()
            self.run(self.store.write(log_table.delete().where(log_table.c.id < newest)))

    @rule(name=names)
    def cut_off(self, name: str) -> None:
        self.nodes[name].wire.cut = True

    @rule(name=names)
    def be_cut_off_for_long(self, name: str) -> None:
        """Others take it for one that has ended."""
        self.heal()
        self.cut_off(name)
        self.run(self.nodes[name].ends(self.store))
        for _ in range(ROUNDS):
            self.clock.advance(ROUND)
            for node in self.connected():
                self.run(node.step())
        self.heal()

    @rule()
    def heal(self) -> None:
        for node in self.nodes.values():
            node.wire.heal()

    @rule(name=names)
    def begin_anew(self, name: str) -> None:
        """A control that crashed finds at its nginx who is there."""
        before = self.nodes[name]
        node = ModelNode(self.store, name, self.clock)
        for session in before.presence.all():
            node.presence.admit(session)
        self.nodes[name] = self.run(node.begin())

    @rule(seconds=st.sampled_from([0.3, EVERY, LIFETIME]))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule()
    def all_agree_once_all_is_well(self) -> None:
        for node in self.nodes.values():
            node.wire.heal()
        for _ in range(ROUNDS):
            self.clock.advance(ROUND)
            for node in self.nodes.values():
                self.run(node.step())
        for room_id in self.rooms:
            here = [node.name for node in self.nodes.values() if node.has_publisher(room_id)]
            players = sum(len(node.players(room_id)) for node in self.nodes.values())
            assert len(here) <= 1, "two publishers in one room"
            for node in self.nodes.values():
                assert node.live_rooms.is_live(room_id) == bool(here), node.name
                assert node.live_rooms.players(room_id) == players, node.name
                origin = node.leases.origin(room_id)
                if here and node.name not in here:
                    assert origin is not None and origin.node == here[0]
                elif here:
                    assert origin is None and node.leases.own(room_id) is not None
            assert self.rows(leases.c.room_id == room_id, leases.c.held == sa.true()) == len(here)
            assert self.rows(broadcasts.c.room_id == room_id, broadcasts.c.ended_at.is_(None)) == len(here)

    @invariant()
    def a_room_is_given_to_one(self) -> None:
        assert not getattr(self, "doubled", ""), self.doubled

    async def let_in(self, node: ModelNode, room_id: int, awake: list[ModelNode]) -> None:
        """Raises Denied."""
        asked = asyncio.create_task(node.publish(room_id))
        for _ in range(MOST_STEPS):
            if asked.done():
                break
            for each in awake if not node.wire.cut else []:
                await each.log.follow()
            await asyncio.wait([asked], timeout=0.002)
            self.clock.advance(STEP)
        await asyncio.wait_for(asked, 5)

    def connected(self) -> list[ModelNode]:
        return [node for node in self.nodes.values() if not node.wire.cut]

    def rows(self, *where: sa.ColumnElement[bool]) -> int:
        return len(self.run(self.store.fetch_all(sa.select(sa.literal(1)).where(*where))))

    def run(self, work: Awaitable[Any]) -> Any:
        async def done() -> Any:
            return await work

        return self.runner.run(done())


@cache
def empty() -> Path:
    folder = Path(tempfile.mkdtemp())
    migrate.upgrade(f"sqlite:///{folder / 'qplus.db'}")
    return folder / "qplus.db"


TestTruthOfNodes = TruthOfNodes.TestCase
TestTruthOfNodes.settings = settings(
    max_examples=40, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
