"""A new password, once the phone's holder has agreed: by a session, by a code, or by a link they confirm."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Protocol

import sqlalchemy as sa
import structlog

from control.accounts.choices import LONGEST
from control.accounts.limits import Limits
from control.accounts.notifiers import Message, Notifier
from control.accounts.origin import Origin
from control.accounts.passwords import Passwords
from control.accounts.sessions import Caller
from control.accounts.users import BLOCKED, User, Users
from control.clock import Clock
from control.entropy import Entropy, digest
from control.guessing.guesses import Guesses, Secret, Target
from control.ops.addresses import network
from control.refusals import BadParameter, NotSent, SessionExpired, WrongPassword
from control.storage.changes import Change, Changed, Changes
from control.storage.database import Row, Store, insert
from control.storage.tables import auth_codes, pending_passwords, sessions, users

LIFETIME = 600  # seconds, of a code and of a pending password
TRIES = 5

log = structlog.get_logger()


class Tickets(Protocol):
    async def voiding(self, user_id: int) -> sa.sql.ClauseElement:
        """What voids all tickets of a user, to be written with their new password."""
        ...


@dataclass(kw_only=True)
class Recovery:
    """`site`: the address that links begin with."""

    store: Store
    users: Users
    passwords: Passwords
    limits: Limits
    guesses: Guesses
    tickets: Tickets
    changes: Changes
    notifier: Notifier
    site: str
    clock: Clock
    entropy: Entropy

    async def send_code(self, user: User, origin: Origin) -> None:
        """A new code to the phone's holder; one that was asked for from the same network is void, and no other: nobody
        voids a stranger's. Raises TooOften, NotSent."""
        await self._spend("code", user, origin)
        code = self.entropy.code()
        row = {
            "user_id": user.id,
            "asked_from": network(origin.address),
            "code_digest": _code_digest(user, code),
            "tries_left": TRIES,
            "expires_at": self.clock.now() + LIFETIME,
        }
        expired = auth_codes.delete().where(auth_codes.c.expires_at <= self.clock.now())
        upsert = (
            insert(auth_codes).values(row).on_conflict_do_update(index_elements=["user_id", "asked_from"], set_=row)
        )
        await self.store.write(expired, upsert)
        await self._send(Message("code", user.phone, user.email, user.account, code))
        log.info("code sent", user=user.id, address=origin.address)

    async def change_by_code(self, user: User, code: str, password: str, origin: Origin) -> None:
        """Raises BadParameter for a code that is wrong, worn out, used or expired, and TooManyGuesses."""
        if not await self._is_right(user, code, origin):
            raise BadParameter("authCode")
        this = sa.and_(auth_codes.c.user_id == user.id, auth_codes.c.code_digest == _code_digest(user, code))
        password_hash = await self.passwords.hash(password, origin)
        # Claimed in the same transaction: of many requests with one code, one succeeds.
        if not await self._put_in_force(user.id, password_hash, auth_codes.delete().where(this), "code", origin):
            raise BadParameter("authCode")

    async def change(self, caller: Caller, password: str, origin: Origin) -> None:
        """Raises SessionExpired where the session has ended while the password was hashed: its owner may have changed
        the password meanwhile, to be rid of who is there."""
        password_hash = await self.passwords.hash(password, origin)
        claim = sessions.delete().where(sessions.c.digest == caller.session)
        if not await self._put_in_force(caller.user.id, password_hash, claim, "session", origin):
            raise SessionExpired

    async def ask_first(self, user: User, password: str, origin: Origin) -> None:
        """Keeps the password pending and asks the phone's holder. Raises TooOften, NotSent."""
        await self._spend("link", user, origin)
        token = self.entropy.secret()
        row = {
            "token_digest": digest(token),
            "user_id": user.id,
            "password_hash": await self.passwords.hash(password, origin),
            "expires_at": self.clock.now() + LIFETIME,
        }
        await self.store.write(self._expired(), pending_passwords.insert().values(row))
        # Behind the `#`, so that the token stands in no request line, no log and no Referer.
        link = f"{self.site}/confirm#{token}"
        await self._send(Message("link", user.phone, user.email, user.account, link))
        log.info("link sent", user=user.id, address=origin.address)

    async def _spend(self, purpose: str, user: User, origin: Origin) -> None:
        known = self.guesses.is_known(Target(Secret.ACCOUNT, user.id), origin.address)
        await self.limits.spend(purpose, user.phone, network(origin.address), known)

    async def _send(self, message: Message) -> None:
        try:
            await self.notifier.send(message)
        except NotSent as failure:
            log.error("message not sent", kind=message.kind, failure=str(failure))
            raise

    async def confirm(self, token: str, password: str, origin: Origin) -> bool:
        """Puts the pending password in force. False where none waits for this token, or no more. Raises WrongPassword
        where `password` is not the one that waits: a stranger's is not confirmed by a click. Raises TooManyGuesses."""
        row = await self._pending(token)
        if row is None:
            return False
        target = Target(Secret.PENDING, row["token_digest"][:16])
        await self.guesses.admit(target, origin.address)
        waiting = row["password_hash"]
        if len(password) > LONGEST or not await self.passwords.matches(waiting, password, origin):
            self.guesses.wrong(target, origin.address, password)
            raise WrongPassword
        claim = pending_passwords.delete().where(pending_passwords.c.token_digest == row["token_digest"])
        return await self._put_in_force(row["user_id"], waiting, claim, "link", origin)

    async def asked_for(self, token: str) -> str | None:
        """The account whose password waits for this token."""
        row = await self._pending(token)
        return row["account"] if row is not None else None

    async def _put_in_force(self, user_id: int, password_hash: str, claim: sa.Delete, way: str, origin: Origin) -> bool:
        """Logins, codes, pending passwords and tickets of the user end. False, and nothing changes, where `claim`
        deletes nothing any more, or the user is blocked."""
        blocked = sa.select(users.c.id).where(users.c.id == user_id, users.c.password_hash.like(f"{BLOCKED}%"))
        async with self.changes.writing() as (connection, note):
            if await connection.fetch_one(blocked):
                return False
            if await connection.fetch_one(claim.returning(claim.table.c.user_id)) is None:
                return False
            voiding = await self.tickets.voiding(user_id)
            for statement in (*self.users.new_password(user_id, password_hash), voiding):
                await connection.execute(statement)
            note(Change(Changed.PASSWORD, user_id=user_id))
            account = Target(Secret.ACCOUNT, user_id)
            self.guesses.forget(account)
            self.guesses.right(account, origin.address)  # who has changed it knows it
        log.info("password changed", user=user_id, by=way, address=origin.address)
        return True

    async def _pending(self, token: str) -> Row | None:
        pending = pending_passwords.c
        query = sa.select(pending.token_digest, pending.user_id, pending.password_hash, users.c.account)
        known = pending_passwords.c.token_digest == digest(token)
        row: Row | None = await self.store.fetch_one(
            query.join_from(pending_passwords, users).where(known, pending.expires_at > self.clock.now())
        )
        return row

    async def _is_right(self, user: User, code: str, origin: Origin) -> bool:
        """Whether it is a code of the user's. One that was asked for from the caller's network takes TRIES from there;
        others are guessed at within limits. So a stranger wears out no code but their own. Raises TooManyGuesses."""
        wanted, right = _code_digest(user, code), False
        own = sa.and_(self._usable(user), auth_codes.c.asked_from == network(origin.address))
        async with self.store.writing() as connection:
            row = await connection.fetch_one(sa.select(auth_codes.c.code_digest).where(own))
            if row is not None:
                right = hmac.compare_digest(row["code_digest"], wanted)
                if not right:
                    one_less = auth_codes.update().where(own).values(tries_left=auth_codes.c.tries_left - 1)
                    await connection.execute(one_less)
                return right
        target = Target(Secret.CODE, user.id)
        await self.guesses.admit(target, origin.address)
        found = sa.select(auth_codes.c.user_id).where(self._usable(user), auth_codes.c.code_digest == wanted)
        async with (
            self.store.writing() as connection
        ):  # one after the other: each is counted before the next is looked at
            self.guesses.delay(target, origin.address)
            right = await connection.fetch_one(found) is not None
            if not right:
                self.guesses.wrong(target, origin.address, code)
        return right

    def _usable(self, user: User) -> sa.ColumnElement[bool]:
        codes = auth_codes.c
        return sa.and_(codes.user_id == user.id, codes.tries_left > 0, codes.expires_at > self.clock.now())

    def _expired(self) -> sa.Delete:
        return pending_passwords.delete().where(pending_passwords.c.expires_at <= self.clock.now())


def _code_digest(user: User, code: str) -> str:
    return digest(f"{user.id}:{code}")
