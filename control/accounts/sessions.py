"""Logins. A session lives for an hour after its last use; only a digest of its id is stored."""

from __future__ import annotations

from dataclasses import dataclass

from control.accounts.users import User, read_user, select_user
from control.clock import Clock
from control.entropy import Entropy, digest
from control.refusals import SessionExpired
from control.storage.database import Store, listed
from control.storage.tables import sessions, users

LIFETIME = 3600  # seconds without use; the seed's


@dataclass(frozen=True, slots=True)
class Caller:
    user: User
    session: str
    """The digest of the session's id."""


class Sessions:
    """Uses are noted in memory and written together by `save`, so that a request that only reads writes nothing."""

    def __init__(self, store: Store, clock: Clock, entropy: Entropy) -> None:
        self._store = store
        self._clock = clock
        self._entropy = entropy
        self._used: dict[str, float] = {}

    async def begin(self, user: User) -> str:
        """A new session's id, 32 characters."""
        session_id = self._entropy.secret()
        row = {"digest": digest(session_id), "user_id": user.id, "used_at": self._clock.now()}
        await self._store.write(sessions.insert().values(row))
        return session_id

    async def caller(self, session_id: str) -> Caller:
        """Renews the session. Raises SessionExpired if there is none of this id, or no more."""
        key = digest(session_id)
        query = select_user(sessions.c.used_at).join(sessions, sessions.c.user_id == users.c.id)
        row = await self._store.fetch_one(query.where(sessions.c.digest == key))
        now = self._clock.now()
        if row is None or max(row["used_at"], self._used.get(key, 0.0)) < now - LIFETIME:
            raise SessionExpired
        self._used[key] = now
        return Caller(read_user(row), key)

    async def end(self, caller: Caller) -> None:
        self._used.pop(caller.session, None)
        await self._store.write(sessions.delete().where(sessions.c.digest == caller.session))

    async def save(self) -> None:
        """Writes the uses since the last time, in one statement, and clears away what has expired."""
        used = dict(self._used)
        expired = sessions.delete().where(sessions.c.used_at < self._clock.now() - LIFETIME)
        if not used:
            return await self._store.write(expired)
        fresh = listed(list(used.items()), ("digest", "used_at")).subquery()
        renewed = sessions.update().values(used_at=fresh.c.used_at).where(sessions.c.digest == fresh.c.digest)
        await self._store.write(renewed, expired)
        # Only now: until they are written, a request must find them here.
        self._used = {key: at for key, at in self._used.items() if used.get(key) != at}
