"""Accounts as they are kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any
from weakref import WeakValueDictionary

import sqlalchemy as sa
import structlog

from control.accounts import identity
from control.accounts.choices import Choices
from control.accounts.origin import Origin
from control.accounts.passwords import Passwords
from control.clock import Clock
from control.entropy import digest
from control.guessing.guesses import Guesses, Secret, Target
from control.ops.addresses import network
from control.refusals import (
    AccountTaken,
    BadParameter,
    EmailTaken,
    NoSuchAccount,
    NoSuchPhone,
    PhoneTaken,
    SessionExpired,
    Taken,
    WrongPassword,
)
from control.storage.cache import Cache
from control.storage.changes import Change, Changed, Changes
from control.storage.database import Row, Store, insert, numbered
from control.storage.tables import auth_codes, pending_passwords, rooms, sessions, users

MALE = 1
NICK_NAME, ADDRESS = 32, 128  # characters, at most
BLOCKED = "!"
"""Before the hash of a password, as in shadow(5): it is nobody's then. control/accounts/blocking.py"""
SEXES = (0, 1, 2)  # 0: not told

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class User:
    id: int
    account: str
    phone: str
    email: str | None
    nick_name: str
    sex: int
    head_picture_id: int
    room_id: int
    """0 where the user has no room."""
    created_at: float = 0.0


NOBODY = User(id=0, account="", phone="", email=None, nick_name="", sex=0, head_picture_id=0, room_id=0)
"""A visitor who is not logged in: owns nothing, follows nothing."""


@dataclass(frozen=True, slots=True)
class NewUser:
    account: str
    phone: str
    """E.164."""
    email: str | None
    password: str


@dataclass(frozen=True, slots=True)
class Profile:
    """What a user may change; "" and 0 leave it as it is. Raises BadParameter, also where all three are left."""

    nick_name: str = ""
    sex: int = 0
    address: str = ""

    def __post_init__(self) -> None:
        if len(self.nick_name) > NICK_NAME or identity.has_controls(self.nick_name):
            raise BadParameter("nickName")
        if self.sex not in SEXES:
            raise BadParameter("sex")
        if len(self.address) > ADDRESS:
            raise BadParameter("address")
        if not (self.nick_name or self.sex or self.address):
            raise BadParameter("nickName")


class Users:
    """`most` are kept in memory."""

    def __init__(
        self, *, store: Store, passwords: Passwords, guesses: Guesses, changes: Changes, clock: Clock, most: int
    ) -> None:
        self._store = store
        self._kept = Cache(self._load, most)
        self._changes = changes
        changes.forget(self._forget, self._kept.clear)
        self._passwords = passwords
        self._guesses = guesses
        self._clock = clock
        self._choices = Choices()
        self._naming: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def register(self, new: NewUser, origin: Origin) -> int:
        """The new user's id. Raises AccountTaken, PhoneTaken or EmailTaken, and TooManyGuesses where too many were."""
        row = {
            "account": new.account,
            "account_key": identity.folded(new.account),
            "phone": new.phone,
            "email": new.email,
            "email_key": identity.folded(new.email) if new.email else None,
            "nick_name": new.account,
            "sex": MALE,
            "address": "",
            "head_picture_id": 0,
            "created_at": self._clock.now(),
        }
        async with self.naming(f"{row['account_key']} {new.phone} {row['email_key']}", origin):
            await self._refuse_taken(row)  # before the hash, which is what costs
        row["password_hash"] = await self._passwords.hash(new.password, origin)
        async with self._store.writing() as connection:
            made = await connection.fetch_one(insert(users).values(row).on_conflict_do_nothing().returning(users.c.id))
        if made is None:
            await self._refuse_taken(row)
            raise AccountTaken  # the row that collided was deleted meanwhile
        return int(made["id"])

    async def _refuse_taken(self, row: dict[str, Any]) -> None:
        keys = {"account_key": AccountTaken, "phone": PhoneTaken, "email_key": EmailTaken}
        columns = [users.c[name] for name in keys]
        taken = sa.or_(*(column == row[column.name] for column in columns if row[column.name] is not None))
        found = await self._store.fetch_all(sa.select(*columns).where(taken))
        for name, refusal in keys.items():
            if row[name] is not None and any(other[name] == row[name] for other in found):
                raise refusal

    async def log_in(self, name: str, password: str, origin: Origin) -> tuple[User, str]:
        """Who it is, and the hash that was right. `name` is an account, a phone or an e-mail address. Raises
        NoSuchAccount, WrongPassword, TooManyGuesses, and what Passwords.matches does. Takes seconds after some wrong
        ones."""
        column, key = identity.login_key(name)
        row = await self._store.fetch_one(select_user(users.c.password_hash).where(users.c[column] == key))
        if row is None and (number := identity.typed_phone(key)):  # there are accounts of before that look like one
            row = await self._store.fetch_one(select_user(users.c.password_hash).where(users.c.phone == number))
        target = Target(Secret.ACCOUNT, row["id"] if row else digest(key)[:16])
        right = await self._guessed(target, row["password_hash"] if row else None, password, origin)
        if row is None or not right:
            log.info("login refused", user=row["id"] if row else None, address=origin.address)
            raise WrongPassword if row else NoSuchAccount
        stored = row["password_hash"]
        if self._passwords.outgrown(stored):
            stored = await self._rehash(row["id"], stored, password, origin)
        return read_user(row), stored

    async def check_password(self, user: User, password: str, origin: Origin) -> None:
        """Raises WrongPassword, TooManyGuesses, what Passwords.matches does, and SessionExpired for a user who was
        deleted."""
        row = await self._store.fetch_one(sa.select(users.c.password_hash).where(users.c.id == user.id))
        if row is None:
            raise SessionExpired
        if not await self._guessed(Target(Secret.ACCOUNT, user.id), row["password_hash"], password, origin):
            raise WrongPassword

    async def _guessed(self, target: Target, stored: str | None, password: str, origin: Origin) -> bool:
        guesses, address = self._guesses, origin.address
        await guesses.admit(target, address)
        known = guesses.is_known(target, address)
        check = partial(guesses.delay, target, address)  # others from there may have been wrong meanwhile
        # It takes as long for one who is blocked.
        hashed = stored.removeprefix(BLOCKED) if stored else None
        right = await self._passwords.matches(hashed, password, origin, check=check, known=known)
        right = right and hashed == stored
        if right:
            guesses.right(target, address)
        else:
            guesses.wrong(target, address, password)
        return right

    async def _rehash(self, user_id: int, old: str, password: str, origin: Origin) -> str:
        # Only over the hash that was checked: the password may have been changed since.
        fresh = await self._passwords.hash(password, origin)
        await self._store.write(
            users.update().where(users.c.id == user_id, users.c.password_hash == old).values(password_hash=fresh)
        )
        return fresh

    async def by_phone(self, phone: str, origin: Origin) -> User:
        """Raises NoSuchPhone, and TooManyGuesses where too many were."""
        async with self.naming(phone, origin):
            row = await self._store.fetch_one(select_user().where(users.c.phone == phone))
            if row is None:
                raise NoSuchPhone
        return read_user(row)

    @asynccontextmanager
    async def naming(self, name: str, origin: Origin) -> AsyncIterator[None]:
        """Counts an answer that tells which accounts, phones or e-mail addresses there are. Raises TooManyGuesses."""
        target = Target(Secret.NAME, "")
        await self._guesses.admit(target, origin.address)
        async with self._naming.setdefault(network(origin.address), asyncio.Lock()):
            self._guesses.delay(target, origin.address)  # others from there may have been answered meanwhile
            try:
                yield
            except (Taken, NoSuchPhone):
                self._guesses.wrong(target, origin.address, name)
                raise

    async def of(self, user_id: int) -> User | None:
        """None where there is none."""
        return await self._kept.get(user_id)

    async def of_all(self, user_ids: Iterable[int]) -> dict[int, User]:
        """Those of them that exist."""
        return await self._kept.get_all(user_ids)

    def _forget(self, change: Change) -> None:
        if change.what in (Changed.USER, Changed.ACCOUNT):
            self._kept.forget(change.user_id)

    async def _load(self, user_ids: Sequence[int]) -> dict[int, User]:
        known = select_user().where(users.c.id.in_(sa.select(numbered(user_ids).c.value)))
        return {row["id"]: read_user(row) for row in await self._store.fetch_all(known)}

    async def modify(self, user: User, profile: Profile, also: Sequence[sa.sql.ClauseElement] = ()) -> None:
        """Writes what is not left as it is, and `also` in the same transaction."""
        texts = {"nick_name": profile.nick_name, "sex": profile.sex, "address": profile.address}
        changes = {column: value for column, value in texts.items() if value}
        written = users.update().where(users.c.id == user.id).values(changes)
        await self._changes.write(Change(Changed.USER, user.room_id, user.id), written, *also)

    def acceptable(self, password: str, user: User | NewUser | None = None) -> str:
        """The password, which this user may have, as far as they are known. Raises BadParameter."""
        names = (user.account, user.phone, user.phone.removeprefix("+86"), user.email) if user else ()
        return self._choices.checked(password, *names)

    def new_password(self, user_id: int, password_hash: str) -> list[sa.sql.ClauseElement]:
        """What puts a password in force. Logins, codes and pending passwords of the user end."""
        written = users.update().where(users.c.id == user_id).values(password_hash=password_hash)
        return [written, *ended_with_a_password(user_id)]


def ended_with_a_password(user_id: int) -> list[sa.sql.ClauseElement]:
    """Logins, codes and pending passwords of a user."""
    return [table.delete().where(table.c.user_id == user_id) for table in (sessions, pending_passwords, auth_codes)]


def select_user(*more: sa.Column[Any]) -> sa.Select[Any]:
    """What `read_user` reads, and whatever more."""
    return sa.select(
        users.c.id,
        users.c.account,
        users.c.phone,
        users.c.email,
        users.c.nick_name,
        users.c.sex,
        users.c.head_picture_id,
        users.c.created_at,
        rooms.c.id.label("room_id"),
        *more,
    ).select_from(users.outerjoin(rooms, rooms.c.owner_id == users.c.id))


def read_user(row: Row) -> User:
    return User(
        id=row["id"],
        account=row["account"],
        phone=row["phone"],
        email=row["email"],
        nick_name=row["nick_name"],
        sex=row["sex"],
        head_picture_id=row["head_picture_id"],
        room_id=row["room_id"] or 0,
        created_at=row["created_at"],
    )
