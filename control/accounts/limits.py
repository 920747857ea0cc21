"""How many messages may go out: to one phone for one address, to one phone, and for one address that asks."""

from __future__ import annotations

import collections

import sqlalchemy as sa

from control.clock import Clock
from control.refusals import TooOften
from control.storage.database import Store
from control.storage.tables import sent_messages

PER_PHONE = 5  # asked for by one address
PER_ADDRESS = 30
WINDOW = 600  # seconds
PHONE_A_DAY = 20  # asked for by addresses from which its owner has not logged in lately
DAY = 86400  # seconds


class Limits:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def spend(self, purpose: str, phone: str, address: str, known: bool) -> None:
        """Counts one more message. `known`: the phone's owner was there lately; what strangers asked for is not held
        against them. Raises TooOften, and counts nothing, once either has had its share."""
        now = self._clock.now()
        shares = {
            f"phone:{purpose}:{phone}:{address}": (PER_PHONE, WINDOW),
            f"address:{address}": (PER_ADDRESS, WINDOW),
        }
        if not known:
            shares[f"phone:{purpose}:{phone}"] = (PHONE_A_DAY, DAY)
        since = sa.or_(
            *(
                sa.and_(sent_messages.c.subject == subject, sent_messages.c.sent_at > now - window)
                for subject, (_, window) in shares.items()
            )
        )
        async with self._store.writing() as connection:
            await connection.execute(sent_messages.delete().where(sent_messages.c.sent_at <= now - DAY))
            rows = await connection.fetch_all(sa.select(sent_messages.c.subject).where(since))
            sent = collections.Counter(row["subject"] for row in rows)
            if any(sent[subject] >= most for subject, (most, _) in shares.items()):
                raise TooOften
            await connection.execute(
                sent_messages.insert().values([{"subject": subject, "sent_at": now} for subject in shares])
            )
