"""Logins. A session lives for an hour after its last use and thirty days at most; only a digest of its id is stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
import structlog

from control.accounts.origin import Origin
from control.accounts.users import User, Users
from control.clock import Clock
from control.entropy import Entropy, digest
from control.refusals import SessionExpired, WrongPassword
from control.storage.cache import GroupedCache
from control.storage.changes import Change, Changed, Changes
from control.storage.database import Store, listed, numbered_texts
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


@dataclass(slots=True)
class _Kept:
    """A session in memory."""

    user_id: int
    begun_at: float
    used_at: float


class Sessions:
    """`most` are kept in memory. Uses are noted there and written together by `save`, so that a request that only reads
    writes nothing."""

    def __init__(
        self, *, store: Store, users: Users, changes: Changes, clock: Clock, entropy: Entropy, most: int
    ) -> None:
        self._store = store
        self._users = users
        self._changes = changes
        self._clock = clock
        self._entropy = entropy
        self._kept = GroupedCache(self._load, most, lambda kept: kept.user_id)
        self._used: dict[str, float] = {}
        changes.forget(self._forget, self._kept.clear)

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
        kept = await self._kept.get(key)
        user = await self._users.of(kept.user_id) if kept else None
        if kept is not None and self._kept.peek(key) is not kept:
            kept = await self._kept.get(key)  # it may have ended while it was looked up
        now = self._clock.now()
        if kept is not None and self._idle(key, kept, now):
            self._kept.forget(key)  # it may have been used at another node
            kept = await self._kept.get(key)
        if kept is None or user is None or self._idle(key, kept, now):
            raise SessionExpired
        if kept.begun_at < now - LONGEST_LIFETIME:
            raise SessionExpired
        kept.used_at = self._used[key] = now
        return Caller(user, key, fresh=kept.begun_at >= now - FRESH)

    def _idle(self, key: str, kept: _Kept, now: float) -> bool:
        """Whether it was not used for too long."""
        return max(kept.used_at, self._used.get(key, 0.0)) < now - LIFETIME

    async def end(self, caller: Caller) -> None:
        await self._end(sessions.c.digest == caller.session)
        log.info("logout", user=caller.user.id)

    async def end_all(self, caller: Caller) -> None:
        """Ends every session of the caller's user. Tickets stay good."""
        theirs = sessions.c.user_id == caller.user.id
        await self._changes.write(Change(Changed.LOGINS, user_id=caller.user.id), sessions.delete().where(theirs))
        log.info("logout everywhere", user=caller.user.id)

    async def end_id(self, session_id: str) -> None:
        """Ends what a browser logged in before; nothing where it has ended."""
        await self._end(sessions.c.digest == digest(session_id))

    async def _end(self, these: sa.ColumnElement[bool]) -> bool:
        """Whether there was one."""
        ended = sessions.delete().where(these).returning(sessions.c.digest, sessions.c.user_id)
        async with self._changes.writing() as (connection, note):
            row = await connection.fetch_one(ended)
            if row is None:
                return False
            note(Change(Changed.LOGINS, user_id=row["user_id"]))
        self._used.pop(row["digest"], None)
        return True

    def _forget(self, change: Change) -> None:
        if change.what in (Changed.LOGINS, Changed.PASSWORD, Changed.ACCOUNT):
            self._kept.forget_group(change.user_id)

    async def _load(self, digests: Sequence[str]) -> dict[str, _Kept]:
        these = sessions.c.digest.in_(sa.select(numbered_texts(digests).c.value))
        columns = sessions.c.digest, sessions.c.user_id, sessions.c.begun_at, sessions.c.used_at
        rows = await self._store.fetch_all(sa.select(*columns).where(these))
        return {row["digest"]: _Kept(row["user_id"], row["begun_at"], row["used_at"]) for row in rows}

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
        if await self._end(sa.and_(sessions.c.user_id == user.id, sessions.c.digest.between(name, name + "g"))):
            log.info("session ended", user=user.id)

    async def save(self) -> None:
        """Writes the uses since the last time, in one statement, and clears away what has expired."""
        used, now = dict(self._used), self._clock.now()
        expired = sessions.delete().where(
            sa.or_(sessions.c.used_at < now - LIFETIME, sessions.c.begun_at < now - LONGEST_LIFETIME)
        )
        if not used:
            return await self._store.write(expired)
        fresh = listed(list(used.items()), sessions.c["digest", "used_at"]).subquery()
        renewed = sessions.update().values(used_at=fresh.c.used_at).where(sessions.c.digest == fresh.c.digest)
        await self._store.write(renewed, expired)
        # Only now: until they are written, a request must find them here.
        self._used = {key: at for key, at in self._used.items() if used.get(key) != at}
