"""Which node has a room's publisher: a row for each room, which the database gives to one node at a time. Its epoch
grows with each change of nodes, so that nobody pulls from where the stream was before. What others have, the log tells.

A node that is alone claims nothing.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from math import inf
from typing import NamedTuple

import orjson
import sqlalchemy as sa
import structlog

from control.clock import Clock, Ticks
from control.live.nodes import Nodes, Peer
from control.live.presence import Home, Presence
from control.ops.loops import once
from control.refusals import Denied, Orphaned
from control.storage.database import Connection, Store, insert
from control.storage.log import Entry, Log
from control.storage.sql import database_now
from control.storage.tables import leases, nodes

MOVED, CONTESTED, HEARD, KEPT = "lease", "contested", "heard", "kept"
UNANSWERED = 2.0  # seconds in which a node that lives has heard that another one wants a room
LONGEST_CONTEST = 6.0  # seconds; nginx waits longer for a verdict, netcall_timeout
LATER = 60.0  # seconds that a publisher who went is expected back at its node
NEVER = Ticks(-inf)

log = structlog.get_logger()


class Lease(NamedTuple):
    node: str
    epoch: int
    held: bool
    """False: its publisher has gone."""


class _Contest:
    """Of a room that another node has."""

    def __init__(self) -> None:
        self.told = asyncio.Event()
        self.heard = self.kept = False


class Leases:
    def __init__(self, *, store: Store, log: Log, nodes: Nodes, presence: Presence, clock: Clock) -> None:
        self._store = store
        self._log = log
        self._nodes = nodes
        self._presence = presence
        self._clock = clock
        self._me = nodes.me.name
        self._leases: dict[int, Lease] = {}
        self._given_back: dict[int, Ticks] = {}
        """When, lately."""
        self._claiming: defaultdict[int, int] = defaultdict(int)
        self._contests: dict[int, _Contest] = {}
        self._kept: dict[int, Ticks] = {}
        """When it was told of a room that its publisher stays where it is, lately."""
        self._turn = asyncio.Lock()
        self._asides: set[asyncio.Task[None]] = set()
        self.make_way: Callable[[int], Awaitable[object]] | None = None
        """Returns once the room's publisher here is gone. Raises Denied where it stays."""
        self.taken_over: list[Callable[[int], Awaitable[None]]] = []
        """Told of a room whose last publisher another node may have had."""
        self.lost: list[Callable[[int], None]] = []
        """Told of a room whose publisher another node has now."""
        for what, handler in (
            (MOVED, self._moved),
            (CONTESTED, self._contested),
            (HEARD, partial(self._answered, "heard")),
            (KEPT, partial(self._answered, "kept")),
        ):
            self._log.on(what, handler)
        self._log.when_behind(self.load)

    @property
    def shared(self) -> bool:
        """Whether there may be other nodes."""
        return self._nodes.shared

    async def load(self) -> None:
        if self._nodes.shared:
            rows = await self._store.fetch_all(sa.select(leases).where(leases.c.held == sa.true()))
            self._leases = {row["room_id"]: Lease(row["node"], row["epoch"], bool(row["held"])) for row in rows}
            self._given_back.clear()

    def origin(self, room_id: int) -> Home | None:
        """Where the room's stream is to be had: at another node, in its epoch. None where that is here, or nowhere.
        Where a publisher went it is for LATER: most come back there, and viewers wait."""
        lease = self._leases.get(room_id)
        if lease is None or lease.node == self._me or lease.node not in self._nodes.others:
            return None
        awaited = self._clock.ticks() - self._given_back.get(room_id, NEVER) < LATER
        return Home(lease.node, str(lease.epoch)) if lease.held or awaited else None

    def peer(self, home: Home) -> Peer | None:
        return self._nodes.others.get(home.node)

    def is_peer(self, address: str) -> bool:
        return self._nodes.is_address(address)

    def own(self, room_id: int) -> Home | None:
        """As others know this node for this room."""
        lease = self._leases.get(room_id)
        return Home(self._me, str(lease.epoch)) if lease and lease.node == self._me else None

    def origins(self) -> dict[int, Home]:
        """Of all rooms that are to be had from other nodes."""
        found = ((room_id, self.origin(room_id)) for room_id in self._leases)
        return {room_id: home for room_id, home in found if home is not None}

    def is_here(self, room_id: int) -> bool:
        """Whether this node may say how the room's broadcast goes."""
        return not self._nodes.shared or self.own(room_id) is not None

    @asynccontextmanager
    async def claiming(self, room_id: int) -> AsyncIterator[bool]:
        """The room's publisher is to be let in here in the block. True where that took time, in which anything may
        have changed. Raises Denied."""
        if not self._nodes.shared:
            yield False
            return
        self._claiming[room_id] += 1
        try:
            yield await self._claim(room_id)
        finally:
            self._claiming[room_id] -= 1
            if not self._claiming[room_id]:
                del self._claiming[room_id]

    async def _claim(self, room_id: int) -> bool:
        lease = self._leases.get(room_id)
        if lease is not None and lease.node == self._me and lease.held:
            return False  # also while the database cannot be asked
        try:
            holder = await self._try(room_id)
            if holder is not None:
                await self._contest(room_id, holder)
        except Orphaned as failure:
            raise Denied("no such room") from failure
        except self._store.failures as failure:
            raise Denied("cannot tell whether it is live at another node") from failure
        if lease is None or lease.node != self._me:
            for taken_over in self.taken_over:
                await taken_over(room_id)
        return True

    async def _try(self, room_id: int, force: bool = False) -> str | None:
        """The node that has the room; None where it is this one now."""
        async with self._turn, self._store.writing() as connection:
            before, lives = await self._read(connection, room_id)
            elsewhere = before is not None and before.held and before.node != self._me
            # After a database was away nobody has said yet that they live.
            if before and elsewhere and (lives or before.node in self._nodes.others) and not force:
                return before.node
            epoch = 1 if before is None else before.epoch + (before.node != self._me)
            row = {"room_id": room_id, "node": self._me, "epoch": epoch, "held": True}
            await connection.execute(
                insert(leases).values(row).on_conflict_do_update(index_elements=["room_id"], set_=row)
            )
            await connection.execute(self._entry(room_id, Lease(self._me, epoch, True)))
        self._leases[room_id] = Lease(self._me, epoch, True)
        self._given_back.pop(room_id, None)
        return None

    async def _read(self, connection: Connection, room_id: int) -> tuple[Lease | None, bool]:
        """The room's lease, and whether its node lives."""
        lives = sa.and_(nodes.c.name == leases.c.node, nodes.c.expires_at > database_now())
        query = sa.select(leases, nodes.c.name).select_from(leases.outerjoin(nodes, lives))
        row = await connection.fetch_one(query.where(leases.c.room_id == room_id))
        if row is None:
            return None, False
        return Lease(row["node"], row["epoch"], bool(row["held"])), row["name"] is not None

    async def _contest(self, room_id: int, holder: str) -> None:
        """Asks its node whether the publisher that it has is still there. One that has ended, or is cut off from the
        database, does not answer, and loses the room. Raises Denied."""
        if room_id in self._contests or self._clock.ticks() - self._kept.get(room_id, NEVER) < UNANSWERED:
            raise Denied(f"already live at node {holder}")  # each question is written down, and read by all
        contest = self._contests[room_id] = _Contest()
        try:
            await self._store.write(self._log.entries([(CONTESTED, room_id, 0, "")]))
            deadline = self._clock.ticks() + LONGEST_CONTEST
            unanswered = self._clock.ticks() + UNANSWERED
            while holder_now := await self._try(room_id, force=not contest.heard and self._clock.ticks() > unanswered):
                if contest.kept or self._clock.ticks() > deadline:
                    self._kept[room_id] = self._clock.ticks()
                    raise Denied(f"already live at node {holder_now}")
                contest.told.clear()
                with suppress(TimeoutError):
                    async with self._clock.within(UNANSWERED / 4):
                        await contest.told.wait()
            log.info("room taken over", room=room_id, node=holder)
        finally:
            del self._contests[room_id]

    async def release(self) -> None:
        """Gives back those of rooms whose publisher is gone, takes those of publishers who were found here without one,
        and forgets what is long given back."""
        outdated = self._clock.ticks() - LATER
        for room_id in [room_id for room_id, since in self._given_back.items() if since < outdated]:
            del self._given_back[room_id]
            self._leases.pop(room_id, None)
        self._kept = {room_id: at for room_id, at in self._kept.items() if self._clock.ticks() - at < UNANSWERED}
        for room_id in {publisher.room_id for publisher in self._presence.publishers()}:
            lease = self._leases.get(room_id)
            if (lease is None or not lease.held) and room_id not in self._claiming:
                with suppress(Orphaned):  # the room was deleted, and its publisher is being put out
                    await self._try(room_id)
        for room_id, lease in list(self._leases.items()):
            if lease.node != self._me or not lease.held or self._is_wanted(room_id):
                continue
            async with self._turn:
                if self._is_wanted(room_id):
                    continue
                given_back = lease._replace(held=False)
                mine = leases.c.room_id == room_id, leases.c.node == self._me, leases.c.epoch == lease.epoch
                await self._store.write(
                    leases.update().where(*mine).values(held=False), self._entry(room_id, given_back)
                )
                if self._leases.get(room_id) is lease:  # or another node has taken it meanwhile
                    self._leases[room_id] = given_back
                    self._given_back[room_id] = self._clock.ticks()

    def _is_wanted(self, room_id: int) -> bool:
        return room_id in self._claiming or self._presence.publisher(room_id) is not None

    def _entry(self, room_id: int, lease: Lease) -> sa.sql.ClauseElement:
        return self._log.entries([(MOVED, room_id, 0, orjson.dumps([*lease]).decode())])

    def _moved(self, entry: Entry) -> None:
        before, now = self._leases.get(entry.room_id), Lease(*orjson.loads(entry.details))
        if before is not None and now.epoch < before.epoch:
            return  # it was taken from that node, which has given it back since
        self._leases[entry.room_id] = now
        self._given_back.pop(entry.room_id, None)
        if not now.held:
            self._given_back[entry.room_id] = self._clock.ticks()
        for lost in self.lost:
            lost(entry.room_id)
        self._tell(entry.room_id)

    def _contested(self, entry: Entry) -> None:
        lease = self._leases.get(entry.room_id)
        if lease is not None and lease.node == self._me and lease.held:
            self._aside("contest", partial(self._defend, entry.room_id))

    async def _defend(self, room_id: int) -> None:
        await self._store.write(self._log.entries([(HEARD, room_id, 0, "")]))
        assert self.make_way is not None
        try:
            await self.make_way(room_id)
        except Denied:
            await self._store.write(self._log.entries([(KEPT, room_id, 0, "")]))
        else:
            await self.release()

    def _answered(self, answer: str, entry: Entry) -> None:
        if contest := self._contests.get(entry.room_id):
            setattr(contest, answer, True)
            contest.told.set()

    def _tell(self, room_id: int) -> None:
        if contest := self._contests.get(room_id):
            contest.told.set()

    def _aside(self, name: str, work: Callable[[], Awaitable[object]]) -> None:
        task = asyncio.create_task(once(name, work))
        self._asides.add(task)
        task.add_done_callback(self._asides.discard)
