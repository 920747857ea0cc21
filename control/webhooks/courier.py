"""Posts events to webhooks, of each one at a time and in their order: the next when the one before has been taken.

A webhook that has something to post is due. Who claims it makes it due again only after LEASE, so that of several nodes
one posts, and another goes on where that one ended. How far it has come is written after each turn; what is posted and
not written yet is posted again, under the same id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson
import sqlalchemy as sa
import structlog

from control.access.vault import WEBHOOK, Vault
from control.clock import Clock, Epoch, Ticks
from control.ops import metrics
from control.ops.loops import finished
from control.storage.database import Row, Store, insert, listed, numbered
from control.storage.room_events import Numbered, RoomEvents
from control.storage.tables import room_events, webhook_deliveries, webhooks
from control.webhooks.endpoints import Delivery, secrets_of
from control.webhooks.posting import Line, Poster
from control.webhooks.signing import message

LOOK = 1.0  # seconds between two looks for webhooks that are due
TURN = 10.0  # seconds after which a webhook gives way to others
LEASE = 30.0  # seconds: longer than a turn with its last attempt, and the difference of two nodes' clocks
LONGEST = 3600.0  # seconds between two attempts
TRIED = 172800.0  # seconds since it happened, two days, after which an event is given up
AT_ONCE = 32  # webhooks
AT_A_TIME = 20  # events that are read, and attempts that are written, together
KEPT = 100  # attempts of each webhook
GONE = 410
ATTEMPT = ("number", "kind", "at", "seconds", "status", "failure")

log = structlog.get_logger()


@dataclass
class _Turn:
    """One webhook while its events are posted."""

    id: int
    room_id: int
    url: httpx.URL
    secret: str
    kinds: frozenset[str]
    begun_at: int
    """Its position before."""
    failures: int
    until: Ticks
    position: int = field(init=False)
    attempts: list[Delivery] = field(default_factory=list)
    due_at: Epoch | None = None
    """None: at once, where there is more."""
    is_broken: bool = True
    """By a fault of ours, which would only happen again at once."""
    is_gone: bool = False
    """It said that it wants no more."""

    def __post_init__(self) -> None:
        self.position = self.begun_at


class Courier:
    """`wait`: seconds until the second attempt; each further one comes after twice the time."""

    def __init__(
        self, *, store: Store, events: RoomEvents, vault: Vault, poster: Poster, clock: Clock, wait: float
    ) -> None:
        self._store = store
        self._events = events
        self._vault = vault
        self._poster = poster
        self._clock = clock
        self._wait = wait
        self._woken = asyncio.Event()
        self._turns: set[asyncio.Task[None]] = set()
        events.listeners.append(self._hear)

    async def next_turn(self) -> None:
        try:
            async with self._clock.within(LOOK):
                await self._woken.wait()
        except TimeoutError:
            pass  # nothing happened; what failed may be due again
        self._woken.clear()

    async def step(self) -> None:
        """Begins with those that are due, as far as there is room. Others wait, the longest first."""
        due = sa.select(webhooks.c.id).where(webhooks.c.due_at <= self._clock.now()).order_by(webhooks.c.due_at)
        room = AT_ONCE - len(self._turns)
        rows = await self._store.fetch_all(due.limit(AT_ONCE)) if room else []
        if rows:
            for turn in await self._claimed([row["id"] for row in rows[:room]]):
                task = asyncio.create_task(self._take(turn))
                self._turns.add(task)
                task.add_done_callback(self._ended)

    async def rest(self) -> None:
        """Returns once nothing is being posted."""
        while self._turns:
            await asyncio.wait(self._turns)
            await asyncio.sleep(0)  # those that have just ended are in it until then

    async def close(self) -> None:
        """Breaks off what is being posted, for the next control to begin with."""
        for task in self._turns:
            task.cancel()
        await self.rest()

    def _hear(self, rooms: Iterable[int]) -> None:
        self._woken.set()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._turns.discard(task)
        self._woken.set()
        if not task.cancelled() and (failure := task.exception()):
            log.error("background work failed", work="webhook", exc_info=failure)

    async def _claimed(self, ids: list[int]) -> list[_Turn]:
        now = self._clock.now()
        these = webhooks.c.id.in_(sa.select(numbered(ids).c.value))
        claim = webhooks.update().where(these, webhooks.c.due_at <= now).values(due_at=now + LEASE)
        async with self._store.writing() as connection:
            mine = [row["id"] for row in await connection.fetch_all(claim.returning(webhooks.c.id))]
            rows = await connection.fetch_all(secrets_of(sa.select(numbered(mine).c.value)))
        return [self._turn(row) for row in rows]

    def _turn(self, row: Row) -> _Turn:
        return _Turn(
            id=row["id"],
            room_id=row["room_id"],
            url=httpx.URL(row["url"]),
            secret=self._vault.opened(row, WEBHOOK),
            kinds=frozenset(orjson.loads(row["kinds"])),
            begun_at=row["position"],
            failures=row["failures"],
            until=Ticks(self._clock.ticks() + TURN),
        )

    async def _take(self, turn: _Turn) -> None:
        try:
            async with self._poster.line(turn.url) as line:
                while await self._some(turn, line):
                    await finished(self._write(turn, goes_on=True))
            turn.is_broken = False
        except asyncio.CancelledError:
            turn.is_broken = False
            raise
        finally:
            await finished(self._write(turn, goes_on=False))

    async def _some(self, turn: _Turn, line: Line) -> bool:
        """Whether there may be more, and time for it."""
        events = await self._events.after(turn.room_id, turn.position, AT_A_TIME)
        for event in events:
            if event.kind in turn.kinds and not await self._posted(turn, line, event):
                return False
            turn.position = event.number
            if self._clock.ticks() >= turn.until:
                return False
        return len(events) == AT_A_TIME

    async def _posted(self, turn: _Turn, line: Line, event: Numbered) -> bool:
        """Whether it was taken, or is given up."""
        if turn.failures and event.at < self._clock.now() - TRIED:
            log.warning("webhook event given up", webhook=turn.id, room=turn.room_id, number=event.number)
            metrics.webhook_posts.labels("given up").inc()
            return True
        now = self._clock.now()
        if not turn.secret:
            turn.attempts.append(Delivery(event.number, event.kind, now, 0.0, 0, "its secret does not open"))
            return self._failed(turn)
        result = await line.post(*message(turn.room_id, event, turn.secret, now))
        turn.attempts.append(
            Delivery(event.number, event.kind, now, round(result.seconds, 3), result.status, result.failure)
        )
        metrics.webhook_posts.labels("failed" if result.failure else "taken").inc()
        if not result.failure:
            if turn.failures:
                log.info("webhook works again", webhook=turn.id, room=turn.room_id)
            turn.failures = 0
            return True
        turn.is_gone = result.status == GONE
        return self._failed(turn)

    def _failed(self, turn: _Turn) -> bool:
        if not turn.failures:
            failure = turn.attempts[-1].failure
            log.info("webhook fails", webhook=turn.id, room=turn.room_id, failure=failure)
        wait = min(LONGEST, self._wait * 2.0 ** min(turn.failures, 20))
        turn.failures += 1
        turn.due_at = Epoch(self._clock.now() + wait)
        return False

    async def _write(self, turn: _Turn, *, goes_on: bool) -> None:
        """Nothing of one that is gone. Where its owner has moved it meanwhile it stays there."""
        attempts, turn.attempts = turn.attempts, []
        async with self._store.writing() as connection:
            kept = await connection.fetch_one(
                webhooks.update()
                .where(webhooks.c.id == turn.id)
                .values(attempts=webhooks.c.attempts + len(attempts))
                .returning(webhooks.c.attempts)
            )
            if kept is None:
                return
            unmoved = sa.and_(webhooks.c.id == turn.id, webhooks.c.position == turn.begun_at)
            values = {"position": turn.position, "failures": turn.failures, **self._due(turn, goes_on)}
            await connection.execute(webhooks.update().where(unmoved, webhooks.c.paused == sa.false()).values(values))
            if attempts:
                first = kept["attempts"] - len(attempts)
                await connection.execute(_inserted(turn.id, first, attempts))
                old = webhook_deliveries.c.attempt <= kept["attempts"] - KEPT
                await connection.execute(
                    webhook_deliveries.delete().where(webhook_deliveries.c.webhook_id == turn.id, old)
                )
        turn.begun_at = turn.position

    def _due(self, turn: _Turn, goes_on: bool) -> dict[str, Any]:
        if turn.is_gone:
            return {"paused": True, "due_at": None}
        if goes_on or turn.is_broken:
            return {"due_at": self._clock.now() + LEASE}
        if turn.due_at is not None:
            return {"due_at": turn.due_at}
        more = sa.exists().where(room_events.c.room_id == turn.room_id, room_events.c.number > turn.position)
        return {"due_at": sa.case((more, sa.literal(self._clock.now(), sa.Float)), else_=sa.null())}


def _inserted(webhook_id: int, first: int, attempts: list[Delivery]) -> sa.sql.ClauseElement:
    columns = ("webhook_id", "attempt", *ATTEMPT)
    rows = [
        [webhook_id, first + number, *(getattr(each, name) for name in ATTEMPT)]
        for number, each in enumerate(attempts, 1)
    ]
    return insert(webhook_deliveries).from_select(columns, listed(rows, webhook_deliveries.c[columns]))
