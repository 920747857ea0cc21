"""Keeps what we hold and what an rtmp nginx has the same: reads /stat, plans, applies. One run at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar

import structlog

from control.access.rights import RightsOfRooms, parse_room_id
from control.access.verdicts import Role
from control.clock import Clock, Ticks
from control.live.heartbeats import Heartbeats
from control.live.presence import Presence, Session, SessionKey
from control.live.states import Ending
from control.nginx_rtmp.clients import Clients
from control.nginx_rtmp.control import ControlError
from control.nginx_rtmp.drops import Drops
from control.nginx_rtmp.plan import AT_A_TIME, Plan, key_of, planning
from control.nginx_rtmp.relays import Relays, RtmpNginx
from control.nginx_rtmp.stat import SeenClient, Snapshot, StatError
from control.ops import metrics
from control.ops.causes import because

EVERY = 2.0  # seconds
SETTLE_WITHIN = 5.0  # seconds that nginx is given to answer before control serves without it
PACE = 0.0003  # seconds for each client, more than twenty times what it takes to read and check it
SOON = 0.3  # seconds, while a publisher has yet to send its first media
REPAIRED = 20  # sessions that are ended or taken in, each with a line in the log, before others have their turn

LOOK, UNHEARD = "a look at nginx", "nginx could not be asked"

T = TypeVar("T")
log = structlog.get_logger()


@dataclass(kw_only=True)
class Reconciler:
    """`first_media`: seconds that a publisher may take to its first media. `lease`: seconds that a session is believed
    in while nginx does not answer."""

    nginx: RtmpNginx
    presence: Presence
    heartbeats: Heartbeats
    clients: Clients
    drops: Drops
    relays: Relays
    rights: RightsOfRooms
    clock: Clock
    first_media: float
    lease: float
    _reachable: bool = True
    _worker: int = 0
    _there: int = 0
    """Clients in the last look."""
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def settle(self) -> bool:
        """Returns once nginx has shown its clients; False where it did not in time.

        Before that no callback is answered, since a publisher might be let into a room that has one, and nothing is
        written, since what the last control wrote may still hold.
        """
        try:
            async with self.clock.within(SETTLE_WITHIN):
                while not await self.run():
                    await self.clock.sleep(SOON)
        except TimeoutError:
            return False
        return True

    async def next_turn(self) -> None:
        """Returns when it is time for another run."""
        waiting = any(publisher.media_at is None for publisher in self.presence.publishers())
        try:
            async with self.clock.within(EVERY):
                if not waiting:
                    await self.nginx.looks.soon.wait()
                # A look takes the longer the more there are, and is not to take more than a twentieth of the time.
                await self.clock.sleep(min(EVERY, max(SOON, PACE * self._there)))
        except TimeoutError:
            pass  # no look was asked for sooner
        self.nginx.looks.soon.clear()

    async def run(self) -> bool:
        """One repair, while no other runs. False where nginx could not be asked: then leases alone run out."""
        async with self._turn:
            with metrics.repair_seconds.time():
                return await self._repair()

    async def _repair(self) -> bool:
        because.set(LOOK)
        self.presence.forget()
        self.heartbeats.expire()
        self.clients.forget()
        await self.relays.names.forget(self.presence)
        try:
            seen = await self.nginx.stat.read()
        except StatError as failure:
            self._say_reachable(False, str(failure))
            await self._expire()
            return False
        self._say_reachable(True)
        self._notice_worker(seen.pid)
        self._there = len(seen.clients)
        await self.relays.learn(self.nginx.node, seen)
        await self._vouch(seen)
        existing = await self._existing(seen)
        work = Plan()
        steps = planning(
            work,
            seen,
            self._held(),
            lambda client: self.presence.ended_at(key_of(self.nginx.node, seen, client)),
            existing.__contains__,
            self.first_media,
        )
        for _ in steps:
            await asyncio.sleep(0)  # thousands are many steps, and callbacks are answered in between
        await self._apply(work, seen)
        for session in await self.relays.stranded(seen, self._held()):
            if self.presence.get(session.key) is session:
                await self.drops.drop(session, "cut off from its room's nginx", Ending.LOST)
        self.nginx.looks.last_at = seen.asked_at
        return True

    def _held(self) -> list[Session]:
        """What this nginx has, as far as we know."""
        return self.presence.at(self.nginx.node)

    async def _vouch(self, seen: Snapshot) -> None:
        for number, client in enumerate(seen.clients):
            if number % AT_A_TIME == AT_A_TIME - 1:
                await asyncio.sleep(0)
            self._hear(key_of(self.nginx.node, seen, client.client), client)

    def _hear(self, key: SessionKey, client: SeenClient) -> None:
        self.presence.hear(key, client.timestamp, client.active, client.stream_info)

    async def _apply(self, work: Plan, seen: Snapshot) -> None:
        async for session in _in_turns(work.end):
            if self.presence.get(session.key) is not session:
                continue  # its end was told while others were looked at
            self.presence.end(session.key, Ending.LOST)
            metrics.repairs.labels("ended").inc()
            log.warning("repaired: ended", room=session.room_id, client=session.key.client, role=session.role.value)
        async for client in _in_turns(work.add):
            await self._take_in(client, seen)
        for session in work.silent:
            if self.presence.get(session.key) is session:  # it may have gone while another was dropped
                await self.drops.drop(session, "no media", Ending.SILENT)
        await self.drops.drop_condemned(work.drop_again)
        for client in work.drop:
            if self.relays.may_be_a_rooms(client.name):
                continue
            await self._drop(client, seen.start)

    async def _take_in(self, client: SeenClient, seen: Snapshot) -> None:
        key = key_of(self.nginx.node, seen, client.client)
        if self.presence.get(key) is not None or (self.presence.ended_at(key) or seen.asked_at) > seen.asked_at:
            return  # it was let in, or went, while others were looked at
        role, since = (
            self.relays.role_of(client, self.clients.unseen.get(key)),
            Ticks(self.clock.ticks() - client.connected),
        )
        counted = role is Role.PLAYER
        session = Session(
            key, role, parse_room_id(client.name), client.address, since, counted=counted, home=client.home
        )
        await self.clients.adopt(session)
        self._hear(key, client)
        metrics.repairs.labels("added").inc()
        log.warning("repaired: added", room=session.room_id, client=client.client, role=role.value)

    async def _drop(self, client: SeenClient, start: str) -> None:
        try:
            await self.nginx.control.drop(start, client.client)
        except ControlError as failure:
            log.warning("drop failed", client=client.client, failure=str(failure))
        else:
            metrics.repairs.labels("dropped").inc()
            log.warning("repaired: dropped", client=client.client)

    async def _expire(self) -> None:
        because.set(UNHEARD)
        deadline = self.clock.ticks() - self.lease
        late = [session for session in self._held() if session.heard_at < deadline]
        async for session in _in_turns(late):
            if session.heard_at < deadline and self.presence.get(session.key) is session:
                self.presence.end(session.key, Ending.LOST)
                metrics.repairs.labels("expired").inc()
                log.warning("lease ran out", room=session.room_id, client=session.key.client)

    async def _existing(self, seen: Snapshot) -> set[str]:
        """Names of streams that are rooms'."""
        names, existing = iter({client.name for client in seen.clients}), set[str]()
        while some := {parse_room_id(name): name for name in islice(names, AT_A_TIME)}:
            existing.update(some[room_id] for room_id in await self.rights.of_all(some))
            await asyncio.sleep(0)
        return existing

    def _notice_worker(self, pid: int) -> None:
        """A worker that crashes tells of no end, and its successor has only the clients that came since."""
        if self._worker not in (0, pid):
            log.warning("nginx's worker is a new one", pid=pid)
            metrics.repairs.labels("worker").inc()
            self.nginx.looks.soon.set()  # clients that were just joining the old one are looked for once more
        self._worker = pid

    def _say_reachable(self, reachable: bool, failure: str = "") -> None:
        if reachable != self._reachable:
            self._reachable = reachable
            log.info("nginx answers") if reachable else log.warning("nginx does not answer", failure=failure)


@dataclass(frozen=True)
class Reconcilers:
    """One for each rtmp nginx of this node."""

    each: Sequence[Reconciler]

    async def settle(self) -> bool:
        """Returns once each nginx has shown its clients; False where one did not in time."""
        settled = await asyncio.gather(*(reconciler.settle() for reconciler in self.each))
        if len(self.each) > 1:
            await self.run()  # what is on its way to another is known only now
        return all(settled)

    async def run(self) -> bool:
        """One repair of each. False where one could not be asked."""
        return all(await asyncio.gather(*(reconciler.run() for reconciler in self.each)))


async def _in_turns(items: Sequence[T]) -> AsyncIterator[T]:
    """What comes of a crash is to be repaired for thousands at once."""
    for number, item in enumerate(items):
        if number % REPAIRED == REPAIRED - 1:
            await asyncio.sleep(0)
        yield item
