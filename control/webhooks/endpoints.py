"""The webhooks of each room, as its owner manages them."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa

from control.access.vault import WEBHOOK, Vault
from control.clock import Clock, Epoch
from control.entropy import Entropy
from control.live.viewer_events import ViewerEvents
from control.refusals import BadParameter
from control.storage.changes import Change, Changed, Changes
from control.storage.database import Row, Store, insert
from control.storage.room_events import OF_VIEWERS, EventKind
from control.storage.tables import room_events, rooms, webhook_deliveries, webhooks
from control.webhooks.destinations import checked

MOST = 5  # of one room
HIGHEST = 2**31 - 1  # of ids and of events; an integer column holds no more everywhere
SECRET = 32  # bytes
USUAL = tuple(kind for kind in EventKind if kind not in OF_VIEWERS)
"""Events of a webhook for which none were named."""


@dataclass(frozen=True, slots=True)
class Webhook:
    id: int
    room_id: int
    url: str
    kinds: tuple[str, ...]
    paused: bool
    position: int
    """Number of the last event that was posted, or was none of its kinds, or has been given up."""
    due_at: Epoch | None
    """When there is something to post, or somebody posts; None: there is nothing."""
    failures: int
    """Attempts that failed since the last one that did not."""
    created_at: Epoch


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt."""

    number: int
    """Of the event; 0 for a test."""
    kind: str
    at: Epoch
    seconds: float
    status: int
    failure: str


class Webhooks:
    """`private`: whether private addresses may be posted to."""

    def __init__(
        self,
        *,
        store: Store,
        vault: Vault,
        changes: Changes,
        viewer_events: ViewerEvents,
        private: bool,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._store = store
        self._vault = vault
        self._changes = changes
        self._viewer_events = viewer_events
        self._private = private
        self._clock = clock
        self._entropy = entropy

    async def load(self) -> None:
        """Which rooms' viewers are to be told of."""
        wanted = webhooks.c.wants_viewers == sa.true()
        rows = await self._store.fetch_all(sa.select(webhooks.c.room_id).where(wanted).distinct())
        self._viewer_events.rooms = frozenset(row["room_id"] for row in rows)

    async def reconsider(self, change: Change) -> None:
        """A listener of changes."""
        if change.what in (Changed.WEBHOOKS, Changed.ACCOUNT):
            await self.load()

    async def add(self, room_id: int, owner_id: int, url: str, kinds: Iterable[str] | None) -> tuple[int, str]:
        """Its id, and its secret, which nobody is told again. It is told of what happens from now on. Raises
        BadParameter, also for one more than MOST."""
        checked(url, self._private)
        wanted = _kinds(kinds) or USUAL
        secret = f"whsec_{b64encode(self._entropy.noise(SECRET)).decode()}"
        row = {
            "room_id": room_id,
            "url": url,
            "secret": self._vault.seal_text(WEBHOOK, owner_id, secret),
            **_columns(wanted),
            "paused": False,
            "position": sa.func.coalesce(last_number(sa.literal(room_id)), 0),
            "failures": 0,
            "attempts": 0,
            "created_at": self._clock.now(),
        }
        async with self._changes.writing() as (connection, note):
            mine = sa.select(sa.func.count()).select_from(webhooks).where(webhooks.c.room_id == room_id)
            count = await connection.fetch_one(mine)
            if count and count[0] >= MOST:
                raise BadParameter("url", f"at most {MOST}")
            made = await connection.fetch_one(insert(webhooks).values(row).returning(webhooks.c.id))
            assert made is not None
            note(Change(Changed.WEBHOOKS, room_id))
        return int(made["id"]), secret

    async def of_room(self, room_id: int) -> list[Webhook]:
        """The oldest first."""
        mine = sa.select(webhooks).where(webhooks.c.room_id == room_id).order_by(webhooks.c.id)
        return [_read(row) for row in await self._store.fetch_all(mine)]

    async def edit(
        self, room_id: int, webhook_id: int, url: str, kinds: Sequence[str] | None, paused: bool | None
    ) -> None:
        """ "" and None leave what they are about as it is. One that goes on gets what happened meanwhile. Raises
        BadParameter, also for one that is not the room's."""
        values: dict[str, Any] = {}
        if url:
            checked(url, self._private)
            values["url"] = url
        if kinds is not None:
            values |= _columns(_kinds(kinds) or USUAL)
        if paused is not None:
            values |= {"paused": paused, "failures": 0, "due_at": None if paused else self._clock.now()}
        if values:
            await self._write(room_id, webhook_id, webhooks.update().values(values))

    async def remove(self, room_id: int, webhook_id: int) -> None:
        """Raises BadParameter."""
        await self._write(room_id, webhook_id, webhooks.delete())

    async def replay(self, room_id: int, webhook_id: int, after: int) -> None:
        """Has events with higher numbers posted, once more or not at all. Raises BadParameter, also for a number that
        no event has had."""
        last = sa.func.coalesce(last_number(sa.literal(room_id)), 0)
        due_at = sa.case((webhooks.c.paused, sa.null()), else_=self._clock.now())
        after = min(after, HIGHEST)
        again = webhooks.update().where(last >= after).values(position=after, failures=0, due_at=due_at)
        await self._write(room_id, webhook_id, again, "after")

    async def deliveries(self, room_id: int, webhook_id: int, most: int) -> list[Delivery]:
        """The newest first. Raises BadParameter."""
        if not any(each.id == webhook_id for each in await self.of_room(room_id)):
            raise BadParameter("webhookId")
        attempts = sa.select(webhook_deliveries).where(webhook_deliveries.c.webhook_id == webhook_id)
        rows = await self._store.fetch_all(attempts.order_by(webhook_deliveries.c.attempt.desc()).limit(most))
        return [Delivery(**{name: row[name] for name in Delivery.__slots__}) for row in rows]

    async def _write(
        self, room_id: int, webhook_id: int, statement: sa.Update | sa.Delete, missing: str = "webhookId"
    ) -> None:
        if webhook_id > HIGHEST:
            raise BadParameter("webhookId")
        mine = sa.and_(webhooks.c.id == webhook_id, webhooks.c.room_id == room_id)
        async with self._changes.writing() as (connection, note):
            if await connection.fetch_one(sa.select(webhooks.c.id).where(mine)) is None:
                raise BadParameter("webhookId")
            if await connection.fetch_one(statement.where(mine).returning(webhooks.c.id)) is None:
                raise BadParameter(missing)
            note(Change(Changed.WEBHOOKS, room_id))


def secrets_of(webhook_ids: sa.Select[Any]) -> sa.Select[Any]:
    """Some webhooks, each with its room's owner, which its secret is bound to."""
    secret = webhooks.c.secret.label(WEBHOOK)
    owned = sa.select(webhooks, secret, rooms.c.owner_id).join(rooms, rooms.c.id == webhooks.c.room_id)
    return owned.where(webhooks.c.id.in_(webhook_ids))


def last_number(room_id: sa.ColumnElement[int]) -> sa.ScalarSelect[Any]:
    return sa.select(sa.func.max(room_events.c.number)).where(room_events.c.room_id == room_id).scalar_subquery()


def _columns(kinds: Sequence[str]) -> dict[str, Any]:
    return {"kinds": orjson.dumps(kinds).decode(), "wants_viewers": bool(OF_VIEWERS & set(kinds))}


def _kinds(named: Iterable[str] | None) -> tuple[str, ...]:
    """In the order of the table, each once. Raises BadParameter."""
    names = set(named or ())
    if names - set(EventKind):
        raise BadParameter("events")
    return tuple(kind.value for kind in EventKind if kind in names)


def _read(row: Row) -> Webhook:
    return Webhook(
        id=row["id"],
        room_id=row["room_id"],
        url=row["url"],
        kinds=tuple(orjson.loads(row["kinds"])),
        paused=bool(row["paused"]),
        position=row["position"],
        due_at=row["due_at"],
        failures=row["failures"],
        created_at=row["created_at"],
    )
