"""A message to a webhook because its owner wants to see whether it is taken, at once and once."""

from __future__ import annotations

from dataclasses import dataclass

import httpx
import sqlalchemy as sa

from control.access.vault import WEBHOOK, Vault
from control.clock import Clock
from control.entropy import Entropy
from control.guessing.windows import Windows
from control.refusals import BadParameter, TooOften
from control.storage.database import Store
from control.storage.room_events import Numbered
from control.storage.tables import webhooks
from control.webhooks.endpoints import HIGHEST, secrets_of
from control.webhooks.posting import Poster, Result
from control.webhooks.signing import TEST, message

MOST = 10  # of one room
WITHIN = 60  # seconds
REMEMBERED = 10_000  # rooms


@dataclass(kw_only=True)
class Trials:
    store: Store
    vault: Vault
    poster: Poster
    clock: Clock
    entropy: Entropy

    def __post_init__(self) -> None:
        self._windows = Windows(self.clock, REMEMBERED)

    async def post(self, room_id: int, webhook_id: int) -> Result:
        """Raises BadParameter for a webhook that is not the room's, and TooOften."""
        if not self._windows.acquire_entry(str(room_id), MOST, WITHIN):
            raise TooOften
        mine = sa.select(webhooks.c.id).where(webhooks.c.id == webhook_id, webhooks.c.room_id == room_id)
        row = await self.store.fetch_one(secrets_of(mine)) if webhook_id <= HIGHEST else None
        if row is None:
            raise BadParameter("webhookId")
        now = self.clock.now()
        name, event = f"test_{self.entropy.noise(8).hex()}", Numbered(0, now, TEST, {})
        secret = self.vault.opened(row, WEBHOOK)
        if not secret:
            return Result(0, "its secret does not open", 0.0)
        async with self.poster.line(httpx.URL(row["url"])) as line:
            return await line.post(*message(room_id, event, secret, now, name))
