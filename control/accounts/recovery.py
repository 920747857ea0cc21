"""A new password, once the phone's holder has agreed: by a session, by a code, or by a link they confirm."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

import sqlalchemy as sa
import structlog

from control.accounts.limits import Limits
from control.accounts.notifiers import Message, Notifier
from control.accounts.passwords import Passwords
from control.accounts.users import User, Users
from control.clock import Clock
from control.entropy import Entropy, digest
from control.refusals import BadParameter, NotSent
from control.storage.database import Row, Store, insert
from control.storage.tables import auth_codes, pending_passwords, users

LIFETIME = 600  # seconds, of a code and of a pending password
TRIES = 5

log = structlog.get_logger()


@dataclass(kw_only=True)
class Recovery:
    """`site`: the address that links begin with."""

    store: Store
    users: Users
    passwords: Passwords
    limits: Limits
    notifier: Notifier
    site: str
    clock: Clock
    entropy: Entropy

    async def send_code(self, user: User, address: str) -> None:
        """A new code to the phone's holder; the one before is void. Raises TooOften, NotSent."""
        await self.limits.spend("code", user.phone, address)
        code = self.entropy.code()
        row = {
            "user_id": user.id,
            "code_digest": _code_digest(user, code),
            "tries_left": TRIES,
            "expires_at": self.clock.now() + LIFETIME,
        }
        await self.store.write(insert(auth_codes).values(row).on_conflict_do_update(["user_id"], set_=row))
        await self._send(Message("code", user.phone, user.email, user.account, code))

    async def change_by_code(self, user: User, code: str, password: str) -> None:
        """Raises BadParameter for a code that is wrong, worn out or expired."""
        if not await self._redeem(user, code):
            raise BadParameter("authCode")
        await self.change(user, password)

    async def change(self, user: User, password: str) -> None:
        await self.users.set_password(user.id, await self.passwords.hash(password))

    async def ask_first(self, user: User, password: str, address: str) -> None:
        """Keeps the password pending and asks the phone's holder. Raises TooOften, NotSent."""
        await self.limits.spend("link", user.phone, address)
        token = self.entropy.secret()
        row = {
            "token_digest": digest(token),
            "user_id": user.id,
            "password_hash": await self.passwords.hash(password),
            "expires_at": self.clock.now() + LIFETIME,
        }
        await self.store.write(self._expired(), pending_passwords.insert().values(row))
        # Behind the `#`, so that the token stands in no request line, no log and no Referer.
        link = f"{self.site}/confirm#{token}"
        await self._send(Message("link", user.phone, user.email, user.account, link))

    async def _send(self, message: Message) -> None:
        try:
            await self.notifier.send(message)
        except NotSent as failure:
            log.error("message not sent", kind=message.kind, failure=str(failure))
            raise

    async def confirm(self, token: str) -> bool:
        """Puts the pending password in force. False where none waits for this token, or no more."""
        row = await self._pending(token)
        if row is not None:
            await self.users.set_password(row["user_id"], row["password_hash"])
        return row is not None

    async def asked_for(self, token: str) -> str | None:
        """The account whose password waits for this token."""
        row = await self._pending(token)
        return row["account"] if row is not None else None

    async def _pending(self, token: str) -> Row | None:
        columns = (pending_passwords.c.user_id, pending_passwords.c.password_hash, users.c.account)
        query = sa.select(*columns).join_from(pending_passwords, users)
        known = pending_passwords.c.token_digest == digest(token)
        row: Row | None = await self.store.fetch_one(
            query.where(known, pending_passwords.c.expires_at > self.clock.now())
        )
        return row

    async def _redeem(self, user: User, code: str) -> bool:
        tried = (
            auth_codes.update()
            .where(auth_codes.c.user_id == user.id, auth_codes.c.tries_left > 0)
            .where(auth_codes.c.expires_at > self.clock.now())
            .values(tries_left=auth_codes.c.tries_left - 1)
            .returning(auth_codes.c.code_digest)
        )
        async with self.store.writing() as connection:
            row = await connection.fetch_one(tried)
        return row is not None and hmac.compare_digest(row["code_digest"], _code_digest(user, code))

    def _expired(self) -> sa.Delete:
        return pending_passwords.delete().where(pending_passwords.c.expires_at <= self.clock.now())


def _code_digest(user: User, code: str) -> str:
    return digest(f"{user.id}:{code}")
