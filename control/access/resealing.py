"""Seals anew what was sealed with a key of before, a few at a time: rooms' passwords, then webhooks' secrets."""

from __future__ import annotations

import asyncio

import sqlalchemy as sa
import structlog

from control.access.vault import COLUMNS, WEBHOOK, Vault
from control.storage.database import Row, Store, listed
from control.storage.tables import rooms, webhooks

AT_A_TIME, BATCHES = 100, 10  # rooms, and how often that many in one step
EVERY = 0.5  # seconds between two steps

log = structlog.get_logger()


class Resealing:
    def __init__(self, store: Store, vault: Vault) -> None:
        self._store = store
        self._vault = vault
        self._sealed = 0
        self._reached = 0
        """A room's id: up to it all are sealed with the newest key."""
        self._reached_webhook = 0
        """Likewise."""
        self._rooms_done = False
        self._done = not vault.has_old_keys

    async def step(self) -> None:
        """Nothing, once it is through."""
        for _ in range(BATCHES):
            if not self._done:
                await (self._webhooks() if self._rooms_done else self._rooms())
                await asyncio.sleep(0)

    async def _rooms(self) -> None:
        columns = [rooms.c[name] for name in COLUMNS]
        query = sa.select(rooms.c.id, rooms.c.owner_id, *columns).where(rooms.c.id > self._reached)
        rows = await self._store.fetch_all(query.order_by(rooms.c.id).limit(AT_A_TIME))
        stale = [row for row in rows if not self._vault.is_current(row) and self._opens(row)]
        if stale:
            await self._store.write(self._anew(stale))
        self._sealed += len(stale)
        self._reached = rows[-1]["id"] if rows else self._reached
        self._rooms_done = len(rows) < AT_A_TIME

    async def _webhooks(self) -> None:
        query = sa.select(webhooks.c.id, webhooks.c.secret.label(WEBHOOK), rooms.c.owner_id)
        query = query.join(rooms, rooms.c.id == webhooks.c.room_id).where(webhooks.c.id > self._reached_webhook)
        rows = await self._store.fetch_all(query.order_by(webhooks.c.id).limit(AT_A_TIME))
        stale = [(row, self._vault.opened(row, WEBHOOK)) for row in rows if not self._vault.is_current(row, [WEBHOOK])]
        for row, secret in stale:
            if secret:
                anew = self._vault.seal_text(WEBHOOK, row["owner_id"], secret)
                await self._store.write(webhooks.update().where(webhooks.c.id == row["id"]).values(secret=anew))
        self._reached_webhook = rows[-1]["id"] if rows else self._reached_webhook
        self._done = len(rows) < AT_A_TIME
        if self._done:
            log.info("passwords resealed", rooms=self._sealed)

    def _opens(self, row: Row) -> bool:
        """What is damaged stays as it is; its owner mends it."""
        return all(self._vault.opened(row, column) for column in COLUMNS)

    def _anew(self, stale: list[Row]) -> sa.Update:
        """Where nobody has changed it since it was read."""
        old = [rooms.c[column].label(f"old_{column}") for column in COLUMNS]
        sealed = [self._vault.seal(self._vault.passwords(row), row["owner_id"]).values() for row in stale]
        before = [[row[column] for column in COLUMNS] for row in stale]
        values = [[row["id"], *new, *was] for row, new, was in zip(stale, sealed, before, strict=True)]
        fresh = listed(values, [*rooms.c["id", *COLUMNS], *old]).subquery()
        same = (rooms.c[column] == fresh.c[was.name] for column, was in zip(COLUMNS, old, strict=True))
        changes = {column: fresh.c[column] for column in COLUMNS}
        return rooms.update().where(rooms.c.id == fresh.c.id, *same).values(changes)
