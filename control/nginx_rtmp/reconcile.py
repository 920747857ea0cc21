"""Keeps what we hold and what nginx has the same: reads /stat, plans, applies. One run at a time."""

from __future__ import annotations

import asyncio

import structlog

from control.access.rights import RightsOfRooms
from control.access.verdicts import Role
from control.clock import Clock
from control.live.presence import Ending, Presence, Session
from control.nginx_rtmp.clients import Clients
from control.nginx_rtmp.control import ControlError, RtmpControl
from control.nginx_rtmp.plan import Plan, key_of, plan
from control.nginx_rtmp.stat import SeenClient, Snapshot, Stat, StatError
from control.ops import metrics

EVERY = 2.0  # seconds
SOON = 0.3  # seconds, while a publisher has yet to send its first media

log = structlog.get_logger()


class Reconciler:
    """`first_media` and `lease` are in seconds: how long a publisher may send nothing, and how long a session is
    believed in that neither its updates nor /stat vouch for."""

    def __init__(
        self,
        node: str,
        presence: Presence,
        clients: Clients,
        stat: Stat,
        control: RtmpControl,
        rights: RightsOfRooms,
        clock: Clock,
        first_media: float,
        lease: float,
    ) -> None:
        self._node = node
        self._presence = presence
        self._clients = clients
        self._stat = stat
        self._control = control
        self._rights = rights
        self._clock = clock
        self._first_media = first_media
        self._lease = lease
        self._reachable = True
        self._worker = 0
        self._turn = asyncio.Lock()

    async def next_turn(self) -> None:
        """Returns when it is time for another run."""
        waiting = any(each.role is Role.PUBLISHER and each.media_at is None for each in self._presence.all())
        try:
            async with self._clock.within(EVERY):
                if not waiting:
                    await self._clients.nudge.wait()
                await self._clock.sleep(SOON)
        except TimeoutError:
            pass  # nobody was in a hurry
        self._clients.nudge.clear()

    async def run(self) -> bool:
        """One repair, while no other runs. False where nginx could not be asked: then leases alone run out."""
        async with self._turn:
            with metrics.repair_seconds.time():
                return await self._repair()

    async def _repair(self) -> bool:
        self._presence.forget()
        self._clients.forget()
        try:
            seen = await self._stat.read()
        except StatError as failure:
            self._say_reachable(False, str(failure))
            self._expire()
            return False
        self._say_reachable(True)
        self._notice_worker(seen.pid)
        self._vouch(seen)
        work = plan(
            seen,
            self._presence.all(),
            lambda client: self._presence.gone_since(key_of(self._node, seen, client)),
            self._room_exists,
            self._first_media,
        )
        await self._apply(work, seen)
        self._clients.looked(seen.asked_at)
        return True

    def _vouch(self, seen: Snapshot) -> None:
        for client in seen.clients:
            session = self._presence.get(key_of(self._node, seen, client.client))
            if session is not None:
                self._hear(session, client)

    def _hear(self, session: Session, client: SeenClient) -> None:
        if session.role is Role.PUBLISHER:
            self._presence.hear(session, client.timestamp, client.active)
            session.stream_info = client.stream_info
        else:
            session.heard_at = self._clock.ticks()

    async def _apply(self, work: Plan, seen: Snapshot) -> None:
        for session in work.end:
            self._presence.end(session.key, Ending.LOST)
            metrics.repairs.labels("ended").inc()
            log.warning("repaired: ended", room=session.room_id, client=session.key.client, role=session.role.value)
        for client in work.add:
            self._take_in(client, seen)
        for session in work.silent:
            await self._clients.put_out(session, "no media", Ending.SILENT)
        for client in work.drop:
            await self._drop(client)

    def _take_in(self, client: SeenClient, seen: Snapshot) -> None:
        key = key_of(self._node, seen, client.client)
        role = Role.PUBLISHER if client.publishing else Role.PLAYER
        since = self._clock.ticks() - client.connected
        session = Session(key, role, int(client.name), client.address, since, counted=not client.publishing)
        self._clients.adopt(session)
        self._hear(session, client)
        metrics.repairs.labels("added").inc()
        log.warning("repaired: added", room=session.room_id, client=client.client, role=role.value)

    async def _drop(self, client: SeenClient) -> None:
        try:
            await self._control.drop(client.client)
        except ControlError as failure:
            log.warning("drop failed", client=client.client, failure=str(failure))
        else:
            metrics.repairs.labels("dropped").inc()
            log.warning("repaired: dropped", client=client.client)

    def _expire(self) -> None:
        deadline = self._clock.ticks() - self._lease
        for session in self._presence.all():
            if session.heard_at < deadline:
                self._presence.end(session.key, Ending.LOST)
                metrics.repairs.labels("expired").inc()
                log.warning("lease ran out", room=session.room_id, client=session.key.client)

    def _room_exists(self, name: str) -> bool:
        return name.isascii() and name.isdigit() and self._rights.of(int(name)) is not None

    def _notice_worker(self, pid: int) -> None:
        """A worker that crashed told of no end, and its successor has only those who came since."""
        if self._worker not in (0, pid):
            log.warning("nginx's worker is a new one", pid=pid)
            metrics.repairs.labels("worker").inc()
            self._clients.nudge.set()  # those who were just joining the old one are looked for once more, soon
        self._worker = pid

    def _say_reachable(self, reachable: bool, failure: str = "") -> None:
        if reachable != self._reachable:
            self._reachable = reachable
            log.info("nginx answers") if reachable else log.warning("nginx does not answer", failure=failure)
