"""How many messages may go out: to one phone, and for one address that asks."""

from __future__ import annotations

import sqlalchemy as sa

from control.clock import Clock
from control.refusals import TooOften
from control.storage.database import Store
from control.storage.tables import sent_messages

PER_PHONE = 5
PER_ADDRESS = 30
WINDOW = 600  # seconds


class Limits:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def spend(self, purpose: str, phone: str, address: str) -> None:
        """Counts one more message. Raises TooOften, and counts nothing, once either has had its share."""
        now = self._clock.now()
        shares = {f"phone:{purpose}:{phone}": PER_PHONE, f"address:{address}": PER_ADDRESS}
        count = sa.select(sent_messages.c.subject, sa.func.count().label("sent")).group_by(sent_messages.c.subject)
        recent = count.where(sent_messages.c.subject.in_(shares), sent_messages.c.sent_at > now - WINDOW)
        async with self._store.writing() as connection:
            await connection.execute(sent_messages.delete().where(sent_messages.c.sent_at <= now - WINDOW))
            for row in await connection.fetch_all(recent):
                if row["sent"] >= shares[row["subject"]]:
                    raise TooOften
            await connection.execute(
                sent_messages.insert().values([{"subject": subject, "sent_at": now} for subject in shares])
            )
