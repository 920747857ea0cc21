"""Logins. A session lives for an hour after its last use and thirty days at most; only a digest of its id is stored."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
import structlog

from control.accounts.origin import Origin
from control.accounts.users import User, read_user, select_user
from control.clock import Clock
from control.entropy import Entropy, digest
from control.refusals import SessionExpired, WrongPassword
from control.storage.database import Store, listed
from control.storage.tables import sessions, users

LIFETIME = 3600  # seconds without use; the seed's
LONGEST_LIFETIME = 2592000  # seconds, however it is used
FRESH = 600  # seconds for which a login stands for the password
NAME = 16  # characters of its digest that name a session: they are no secret, and two never are the same
CLIENT = 128  # characters kept of what a client calls itself
SHOWN = 100  # sessions

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Caller:
    user: User
    session: str
    """The digest of the session's id."""
    fresh: bool = False
    """Logged in not longer ago than FRESH."""


@dataclass(frozen=True, slots=True)
class Login:
    """One session as its user sees it. Times are seconds since the epoch."""

    name: str
    begun_at: float
    used_at: float
    address: str
    client: str


class Sessions:
    """Uses are noted in memory and written together by `save`, so that a request that only reads writes nothing."""

    def __init__(self, store: Store, clock: Clock, entropy: Entropy) -> None:
        self._store = store
        self._clock = clock
        self._entropy = entropy
        self._used: dict[str, float] = {}

    async def begin(self, user: User, password_hash: str, origin: Origin) -> str:
        """A new session's id, 32 characters. Raises WrongPassword where the hash that was right is the user's no more:
        a login that took its time must not outlive a change of the password."""
        session_id, now = self._entropy.secret(), self._clock.now()
        client = "".join(sign if sign.isprintable() else " " for sign in origin.client[:CLIENT])
        row = {"digest": digest(session_id), "user_id": user.id, "begun_at": now, "used_at": now}
        row |= {"address": origin.address[:CLIENT], "client": client}
        still = sa.select(*map(sa.literal, row.values())).select_from(users).with_for_update(read=True)
        still = still.where(users.c.id == user.id, users.c.password_hash == password_hash)
        async with self._store.writing() as connection:
            insert = sessions.insert().from_select(list(row), still)
            if await connection.fetch_one(insert.returning(sessions.c.digest)) is None:
                raise WrongPassword
        log.info("login", user=user.id, address=origin.address)
        return session_id

    async def caller(self, session_id: str) -> Caller:
        """Renews the session. Raises SessionExpired if there is none of this id, or no more."""
        key = digest(session_id)
        query = select_user(sessions.c.begun_at, sessions.c.used_at).join(sessions, sessions.c.user_id == users.c.id)
        row = await self._store.fetch_one(query.where(sessions.c.digest == key))
        now = self._clock.now()
        if row is None or max(row["used_at"], self._used.get(key, 0.0)) < now - LIFETIME:
            raise SessionExpired
        if row["begun_at"] < now - LONGEST_LIFETIME:
            raise SessionExpired
        self._used[key] = now
        return Caller(read_user(row), key, fresh=row["begun_at"] >= now - FRESH)

    async def end(self, caller: Caller) -> None:
        self._used.pop(caller.session, None)
        await self._store.write(sessions.delete().where(sessions.c.digest == caller.session))
        log.info("logout", user=caller.user.id)

    async def end_id(self, session_id: str) -> None:
        """Ends what a browser logged in before; nothing where it has ended."""
        self._used.pop(digest(session_id), None)
        await self._store.write(sessions.delete().where(sessions.c.digest == digest(session_id)))

    async def of(self, user: User) -> list[Login]:
        """The user's sessions, the one used last first; at most SHOWN."""
        now = self._clock.now()
        query = sessions.select().where(
            sessions.c.user_id == user.id,
            sessions.c.used_at >= now - LIFETIME,
            sessions.c.begun_at >= now - LONGEST_LIFETIME,
        )
        rows = await self._store.fetch_all(query.order_by(sessions.c.used_at.desc()).limit(SHOWN))
        logins = [
            Login(
                name=row["digest"][:NAME],
                begun_at=row["begun_at"],
                used_at=max(row["used_at"], self._used.get(row["digest"], 0.0)),
                address=row["address"],
                client=row["client"],
            )
            for row in rows
        ]
        return sorted(logins, key=lambda login: login.used_at, reverse=True)

    async def end_named(self, user: User, name: str) -> None:
        """Ends a session of the user's; nothing where it has ended, or is not theirs."""
        this = sa.and_(sessions.c.user_id == user.id, sessions.c.digest.between(name, name + "g"))
        async with self._store.writing() as connection:
            row = await connection.fetch_one(sessions.delete().where(this).returning(sessions.c.digest))
        if row is not None:
            self._used.pop(row["digest"], None)
            log.info("session ended", user=user.id)

    async def save(self) -> None:
        """Writes the uses since the last time, in one statement, and clears away what has expired."""
        used, now = dict(self._used), self._clock.now()
        expired = sessions.delete().where(
            sa.or_(sessions.c.used_at < now - LIFETIME, sessions.c.begun_at < now - LONGEST_LIFETIME)
        )
        if not used:
            return await self._store.write(expired)
        fresh = listed(list(used.items()), ("digest", "used_at")).subquery()
        renewed = sessions.update().values(used_at=fresh.c.used_at).where(sessions.c.digest == fresh.c.digest)
        await self._store.write(renewed, expired)
        # Only now: until they are written, a request must find them here.
        self._used = {key: at for key, at in self._used.items() if used.get(key) != at}
