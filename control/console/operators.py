"""Who may enter the console: users whom the command line named, by one-time codes (RFC 6238)."""

from __future__ import annotations

from base64 import b32encode

import pyotp
import sqlalchemy as sa
import structlog

from control.access.vault import Vault
from control.accounts.origin import Origin
from control.accounts.users import User
from control.clock import Clock
from control.entropy import Entropy, digest
from control.guessing.guesses import Guesses, Secret, Target
from control.refusals import BadParameter, SessionExpired
from control.storage.database import Row, Store, insert
from control.storage.tables import console_logins, operators, users

LIFETIME = 43200  # seconds that an operator stays in
MOST = 1000  # operators
STEP = 30  # seconds that a code is of; those before and after are taken too
COLUMN = "operator"  # what secrets are sealed as

log = structlog.get_logger()


class Operators:
    def __init__(self, *, store: Store, vault: Vault, guesses: Guesses, clock: Clock, entropy: Entropy) -> None:
        self._store = store
        self._vault = vault
        self._guesses = guesses
        self._clock = clock
        self._entropy = entropy

    async def load(self) -> None:
        """Seals anew what was sealed with a key of before."""
        query = sa.select(operators).where(operators.c.user_id > 0).order_by(operators.c.user_id).limit(MOST)
        for row in await self._store.fetch_all(query):
            sealed = _sealed(row)
            if not self._vault.is_current(sealed, [COLUMN]) and (secret := self._vault.opened(sealed, COLUMN)):
                anew = self._vault.seal_text(COLUMN, row["user_id"], secret)
                await self._store.write(operators.update().where(_of(row["user_id"])).values(secret=anew))

    async def add(self, user: User) -> str:
        """The address of the codes' secret (otpauth://), which is told this once. One who was an operator before gets a
        new secret, and is out until they enter with it."""
        secret = b32encode(self._entropy.noise(20)).decode()
        row = {
            "user_id": user.id,
            "secret": self._vault.seal_text(COLUMN, user.id, secret),
            "last_step": 0,
            "since": self._clock.now(),
        }
        upsert = insert(operators).values(row).on_conflict_do_update(index_elements=["user_id"], set_=row)
        await self._store.write(upsert, console_logins.delete().where(console_logins.c.user_id == user.id))
        return pyotp.TOTP(secret, interval=STEP).provisioning_uri(name=user.account, issuer_name="QPlus")

    async def remove(self, user: User) -> bool:
        """Whether they were one. They are out at once."""
        gone = operators.delete().where(_of(user.id)).returning(operators.c.user_id)
        async with self._store.writing() as connection:
            return await connection.fetch_one(gone) is not None

    async def all(self) -> list[dict[str, object]]:
        query = sa.select(users.c.id, users.c.account, operators.c.since).join_from(operators, users)
        query = query.where(operators.c.user_id > 0).order_by(operators.c.user_id).limit(MOST)
        rows = await self._store.fetch_all(query)
        return [{"user": row["id"], "account": row["account"], "since": row["since"]} for row in rows]

    async def enter(self, user: User, code: str, origin: Origin) -> str:
        """What keeps the operator in, for their browser. Raises BadParameter for a wrong code, one that was used, and
        one who is no operator; and TooManyGuesses."""
        target = Target(Secret.CODE, f"console {user.id}")
        await self._guesses.admit(target, origin.address)
        row = await self._store.fetch_one(sa.select(operators).where(_of(user.id)))
        step, token = self._step(row, code) if row else 0, self._entropy.secret()
        if not step or not await self._begin(user, step, token):
            self._guesses.wrong(target, origin.address, code)
            log.warning("console refused", user=user.id, address=origin.address)
            raise BadParameter("code")
        self._guesses.right(target, origin.address)
        log.info("console entered", user=user.id, address=origin.address)
        return token

    async def _begin(self, user: User, step: int, token: str) -> bool:
        """False for a code that was used."""
        now = self._clock.now()
        used = operators.update().where(_of(user.id), operators.c.last_step < step).values(last_step=step)
        async with self._store.writing() as connection:
            if await connection.fetch_one(used.returning(operators.c.user_id)) is None:
                return False
            await connection.execute(console_logins.delete().where(console_logins.c.expires_at <= now))
            login = {"digest": digest(token), "user_id": user.id, "expires_at": now + LIFETIME}
            await connection.execute(console_logins.insert().values(login))
        return True

    async def require(self, user: User, token: str) -> None:
        """Raises SessionExpired for one who is not in."""
        mine = console_logins.c.digest == digest(token), console_logins.c.user_id == user.id
        query = sa.select(console_logins.c.digest).where(*mine, console_logins.c.expires_at > self._clock.now())
        if not token or await self._store.fetch_one(query) is None:
            raise SessionExpired

    async def leave(self, token: str) -> None:
        await self._store.write(console_logins.delete().where(console_logins.c.digest == digest(token)))

    def _step(self, row: Row, code: str) -> int:
        """Of the code; 0 for a wrong one."""
        secret = self._vault.opened(_sealed(row), COLUMN)
        if not secret or not code.isdecimal() or len(code) != 6:
            return 0
        codes, now = pyotp.TOTP(secret, interval=STEP), int(self._clock.now())
        steps = (now // STEP + each for each in (-1, 0, 1))
        return next((step for step in steps if codes.verify(code, for_time=step * STEP)), 0)


def _of(user_id: int) -> sa.ColumnElement[bool]:
    return operators.c.user_id == user_id


def _sealed(row: Row) -> dict[str, object]:
    return {"owner_id": row["user_id"], COLUMN: row["secret"]}
