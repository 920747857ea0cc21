"""What operators did, for those who ask afterwards."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

import orjson
import sqlalchemy as sa

from control.clock import Clock
from control.storage.database import Store
from control.storage.tables import audit

SHOWN = 100  # that are told at once
EXPORTED = 100_000
KEPT = 31_536_000.0  # seconds: a year


class Audit:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def note(self, operator: str, address: str, what: str, details: Mapping[str, Any]) -> None:
        """`operator`: an account."""
        row = {"at": self._clock.now(), "operator": operator, "address": address, "what": what}
        await self._store.write(audit.insert().values(row | {"details": orjson.dumps(details).decode()}))

    async def before(self, number: int, most: int = SHOWN) -> list[dict[str, Any]]:
        """The newest first; those before one of that number, 0 for all."""
        query = sa.select(audit).order_by(audit.c.id.desc()).limit(most)
        rows = await self._store.fetch_all(query.where(audit.c.id < number) if number else query)
        return [{**dict(row), "details": orjson.loads(row["details"])} for row in rows]

    async def table(self) -> str:
        """As CSV, the newest first."""
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(["number", "at", "operator", "address", "what", "details"])
        for each in await self.before(0, EXPORTED):
            values = [each["id"], each["at"], each["operator"], each["address"], each["what"]]
            writer.writerow([*map(_plain, values), orjson.dumps(each["details"]).decode()])
        return text.getvalue()

    async def purge(self) -> None:
        await self._store.write(audit.delete().where(audit.c.at < self._clock.now() - KEPT))


def _plain(value: Any) -> Any:
    """A text that a spreadsheet takes for no formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value
