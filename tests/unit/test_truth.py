"""Whatever comes, in whatever order, or does not come: after a repair, what is held is what nginx has."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from control.access.quotas import COLUMNS as QUOTA
from control.access.rights import BAN
from control.access.tickets import Keys
from control.access.vault import ANCHOR, ASSIST, USER
from control.clock import Ticks
from control.guessing.guesses import Guesses
from control.live.audience import RoomNow
from control.live.broadcasts import Broadcast
from control.live.presence import SessionKey
from control.live.states import State
from control.nginx_rtmp.callbacks import Callbacks
from control.nginx_rtmp.form import parse
from control.nginx_rtmp.plan import JOINING
from control.nginx_rtmp.refused_pushes import RefusedPushes
from control.parts import live_parts
from control.refusals import Denied
from control.settings import Settings
from control.storage.changes import Change, Changed
from tests.support.world import FakeNginx, HandClock, SeededEntropy, StreamClient, body

ROOMS = (1000001, 1000002)
rooms = st.sampled_from(ROOMS)
entropy = st.floats(0, 1, exclude_max=True)


@dataclass
class Rows:
    """Stands in for a database and for what seals passwords in it: it has rooms alone."""

    has_old_keys = False
    gates: dict[int, float] = field(default_factory=lambda: dict.fromkeys(ROOMS, 0.0))

    async def fetch_all(self, _: object) -> list[dict[str, Any]]:
        nobody = dict.fromkeys(column.name for column in (*BAN, *QUOTA))
        sealed = {ANCHOR: "anchor", ASSIST: "assist", USER: "viewer", "password_generation": 1, "is_open": False}
        return [
            {"id": room, "owner_id": 1, "gate_shut_until": until} | sealed | nobody
            for room, until in self.gates.items()
        ]

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Rows]:
        yield self

    async def execute(self, _: object) -> None:
        """What is logged nobody reads: there is one node."""

    def opened(self, row: dict[str, Any], column: str) -> str:
        return str(row[column])


class Control:
    """One life of a control, without a database."""

    def __init__(
        self, nginx: FakeNginx, http: httpx.AsyncClient, clock: HandClock, rows: Iterable[Broadcast] = ()
    ) -> None:
        self.rows = Rows()
        parts: dict[str, Any] = {"store": self.rows, "vault": self.rows, "keys": Keys({"k1": b"k"})}
        parts["guesses"] = Guesses(clock, SeededEntropy(), 10)
        self.live = live_parts(Settings(), nginx={"local": http}, clock=clock, entropy=SeededEntropy(), **parts)
        for row in rows:
            read = Broadcast(
                row.room_id, row.started_at, Ticks(0.0), row.seen_at, row.publisher, row.ended_at, row.ending
            )
            self.live.broadcasts.resume(read, 5)
        self.callbacks = Callbacks(self.live.clients, RefusedPushes(clock, self.live.room_events))

    async def set_gate(self, room: int, until: float) -> None:
        self.rows.gates[room] = until
        await self.live.changes.write(Change(Changed.GATE, room))


class RestlessClock(HandClock):
    """A sleep moves it at once, and media flows meanwhile."""

    def __init__(self, media: Callable[[float], None]) -> None:
        super().__init__()
        self._media = media

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)
        self._media(seconds)


class Truth(RuleBasedStateMachine):
    """A model of nginx tells, forgets to tell, or tells too early; it may crash, and so may control."""

    @initialize()
    def start(self) -> None:
        self.clock, self.nginx = RestlessClock(self._media), FakeNginx()
        self.http = httpx.AsyncClient(transport=self.nginx.transport, base_url="http://nginx")
        self.control = Control(self.nginx, self.http, self.clock)
        self.next_client, self.lives = 1, 1
        self.silent: set[int] = set()
        self.given_up: set[int] = set()
        self.condemned: set[int] = set()
        self.ever_condemned: set[int] = set()
        self.cut: list[int] = []
        self.rows: dict[tuple[int, float], Broadcast] = {}
        self.runner = asyncio.Runner()

    def teardown(self) -> None:
        if hasattr(self, "runner"):
            self.runner.run(self.http.aclose())
            self.runner.close()

    @rule(room=rooms, media=st.booleans(), deaf=st.booleans())
    def publish(self, room: int, media: bool, deaf: bool) -> None:
        """A deaf nginx drops nobody, so that a silent publisher cannot give way."""
        client = self._number()
        self.nginx.deaf = deaf
        let_in = self._asked("publish", client, room)
        self.nginx.deaf = False
        if let_in:
            there = self._held(room)
            if there is not None:
                assert there.client in self.given_up, "two publishers in one room"
                return  # whom nginx turns away by itself
            self.nginx.put(client, str(room), publishing=True, timestamp=500 if media else 0)
            self.silent |= set() if media else {client}

    @rule(room=rooms)
    def play(self, room: int) -> None:
        client = self._number()
        assert self._asked("play", client, room)
        self.nginx.put(client, str(room))

    @rule(room=rooms)
    def gone_before_its_verdict(self, room: int) -> None:
        client = self._number()
        self._told("done", client, room)
        assert not self._asked("play", client, room)

    @rule(at=entropy, calls=st.lists(st.sampled_from(["done", "disconnect", "play_done"]), max_size=3))
    @precondition(lambda self: self.nginx.clients)
    def leave(self, at: float, calls: list[str]) -> None:
        """Told once, more than once, or not at all."""
        client = self._some(at)
        del self.nginx.clients[client.client]
        for call in calls:
            self._told(call, client.client, int(client.name))

    @rule(at=entropy)
    @precondition(lambda self: self.nginx.clients)
    def fall_silent(self, at: float) -> None:
        self.silent.add(self._some(at).client)

    @rule()
    def update(self) -> None:
        """nginx asks again about everybody, and cuts off whoever may not stay."""
        for client in list(self.nginx.clients.values()):
            kind = "publish" if client.publishing else "play"
            if self._asked("update", client.client, int(client.name), kind, client.timestamp):
                continue
            if client.client in self.condemned:
                del self.nginx.clients[client.client]
            else:
                self.cut.append(client.client)

    @rule(room=rooms, deaf=st.booleans())
    def the_owner_ends_the_stream(self, room: int, deaf: bool) -> None:
        publisher, believed = self._held(room), self.control.live.presence.publisher(room)
        self.condemned |= {publisher.client} if publisher else set()
        self.ever_condemned |= self.condemned | ({believed.key.client} if believed else set())
        self.nginx.deaf = deaf
        for until in (self.clock.now() + 60, 0):
            self.runner.run(self.control.set_gate(room, until))
        self.nginx.deaf = False

    @rule(seconds=st.sampled_from([0.1, 1.0, 3.0, 9.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self._media(seconds)

    @rule()
    def worker_crashes(self) -> None:
        self.nginx.clients, self.nginx.pid = {}, self.nginx.pid + 1

    @rule()
    def nginx_restarts(self) -> None:
        self.lives += 1
        self.nginx.clients, self.nginx.start, self.next_client = {}, f"life{self.lives}", 1
        self.condemned = set()

    @rule()
    def control_restarts(self) -> None:
        rows = [row for row in self.rows.values() if not row.closed]
        self.control = Control(self.nginx, self.http, self.clock, rows)
        self._repair()  # before it answers anything

    @rule()
    def nginx_cannot_be_asked(self) -> None:
        self.nginx.broken = True
        self._repair()
        self.nginx.broken = False
        held = {session.key.client for session in self.control.live.presence.all()}
        self.given_up |= self.nginx.clients.keys() - held  # their lease ran out

    @rule()
    def repair_at_any_time(self) -> None:
        self._repair()

    @rule()
    def counts_are_right_after_a_repair(self) -> None:
        self._media(JOINING + 0.1)
        self.clock.advance(JOINING + 0.1)
        self._repair()
        clients = self.nginx.clients.values()
        said = {room.room_id: (room.publisher is not None, room.players) for room in self._observed()}
        for room in ROOMS:
            here = [client for client in clients if client.name == str(room)]
            live = any(client.publishing and client.timestamp for client in here)
            assert said.get(room, (False, 0)) == (live, sum(not client.publishing for client in here))
            assert sum(row.room_id == room and row.ended_at is None for row in self._written()) == live

    @invariant()
    def nobody_who_was_let_in_is_cut(self) -> None:
        assert not getattr(self, "cut", None)

    @invariant()
    def only_the_silent_and_the_condemned_are_dropped(self) -> None:
        if hasattr(self, "control"):
            assert set(self.nginx.dropped) <= self.silent | self.ever_condemned

    @invariant()
    def a_sessions_state_tells_all_of_its_life(self) -> None:
        for session in self.control.live.presence.all() if hasattr(self, "control") else ():
            assert session.state is not State.OVER
            assert (session.state is State.ENDING) == (session.ending is not None)
            assert session.state is not State.LIVE or session.live
            assert session.state is not State.ADMITTED or not session.live

    def _number(self) -> int:
        self.next_client += 1
        return self.next_client

    def _some(self, at: float) -> StreamClient:
        clients = list(self.nginx.clients.values())
        return clients[int(at * len(clients))]

    def _held(self, room: int) -> StreamClient | None:
        return next((each for each in self.nginx.clients.values() if each.publishing and each.name == str(room)), None)

    def _media(self, seconds: float) -> None:
        for client in self.nginx.clients.values():
            client.connected += seconds
            if client.timestamp and client.client not in self.silent:
                client.timestamp += int(seconds * 1000)

    def _written(self) -> Iterable[Broadcast]:
        """The broadcasts' rows, with what has changed since the last time."""
        unsaved = self.control.live.broadcasts.unsaved()
        for changed in unsaved:
            self.rows[changed.room_id, changed.started_at] = replace(changed)
        self.control.live.broadcasts.saved(unsaved)
        return self.rows.values()

    def _observed(self) -> list[RoomNow]:
        live = self.control.live
        live.broadcasts.observe([live.audience.room(room) for room in live.audience.changed(1000)])
        return [live.audience.room(room) for room in ROOMS]

    def _repair(self) -> None:
        self.runner.run(self.control.live.reconcilers.each[0].run())

    def _told(self, call: str, client: int, room: int) -> None:
        assert self._asked(call, client, room)

    def _asked(self, call: str, client: int, room: int, kind: str = "", timestamp: int = 0) -> bool:
        password = "anchor" if "publish" in (call, kind) else "viewer"
        written = body(call, client, str(room), f"pwd={password}", kind=kind or "play", timestamp=timestamp)
        key = SessionKey("local", self.nginx.start, client)
        try:
            self.runner.run(self.control.callbacks._ask(call, key, parse(call, written.encode())))
        except Denied:
            return False
        return True


TestTruth = Truth.TestCase
TestTruth.settings = settings(
    max_examples=200, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
