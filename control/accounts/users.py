"""Accounts as they are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from control.accounts import identity
from control.accounts.passwords import Passwords
from control.clock import Clock
from control.refusals import (
    AccountTaken,
    BadParameter,
    EmailTaken,
    NoSuchAccount,
    NoSuchPhone,
    PhoneTaken,
    WrongPassword,
)
from control.storage.database import Row, Store, insert, numbered
from control.storage.tables import auth_codes, pending_passwords, rooms, sessions, users

MALE = 1


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
        if len(self.nick_name) > 32 or identity.has_controls(self.nick_name):
            raise BadParameter("nickName")
        if self.sex not in (0, 1, 2):
            raise BadParameter("sex")
        if len(self.address) > 128:
            raise BadParameter("address")
        if not (self.nick_name or self.sex or self.address):
            raise BadParameter("nickName")


class Users:
    def __init__(self, store: Store, passwords: Passwords, clock: Clock) -> None:
        self._store = store
        self._passwords = passwords
        self._clock = clock

    async def register(self, new: NewUser) -> int:
        """The new user's id. Raises AccountTaken, PhoneTaken or EmailTaken."""
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
        await self._refuse_taken(row)  # before the hash, which is what costs
        row["password_hash"] = await self._passwords.hash(new.password)
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

    async def log_in(self, name: str, password: str) -> User:
        """Raises NoSuchAccount or WrongPassword, after the same time."""
        column, key = identity.login_key(name)
        row = await self._store.fetch_one(select_user(users.c.password_hash).where(users.c[column] == key))
        stored = row["password_hash"] if row else None
        right = await self._passwords.matches(stored, password)
        if row is None:
            raise NoSuchAccount
        if not right:
            raise WrongPassword
        if self._passwords.outgrown(row["password_hash"]):
            await self._rehash(row["id"], row["password_hash"], password)
        return read_user(row)

    async def _rehash(self, user_id: int, old: str, password: str) -> None:
        # Only over the hash that was checked: the password may have been changed since.
        fresh = await self._passwords.hash(password)
        await self._store.write(
            users.update().where(users.c.id == user_id, users.c.password_hash == old).values(password_hash=fresh)
        )

    async def by_phone(self, phone: str) -> User:
        """Raises NoSuchPhone."""
        row = await self._store.fetch_one(select_user().where(users.c.phone == phone))
        if row is None:
            raise NoSuchPhone
        return read_user(row)

    async def by_ids(self, user_ids: Sequence[int]) -> dict[int, User]:
        """Those of them that exist."""
        known = select_user().where(users.c.id.in_(sa.select(numbered(user_ids).c.value)))
        return {row["id"]: read_user(row) for row in await self._store.fetch_all(known)}

    async def modify(self, user: User, profile: Profile, also: Sequence[sa.sql.ClauseElement] = ()) -> None:
        """Writes what is not left as it is, and `also` in the same transaction."""
        texts = {"nick_name": profile.nick_name, "sex": profile.sex, "address": profile.address}
        changes = {column: value for column, value in texts.items() if value}
        await self._store.write(users.update().where(users.c.id == user.id).values(changes), *also)

    async def set_password(self, user_id: int, password_hash: str) -> None:
        """Puts a password in force. Logins, codes and pending passwords of the user end."""
        await self._store.write(
            users.update().where(users.c.id == user_id).values(password_hash=password_hash),
            *(table.delete().where(table.c.user_id == user_id) for table in (sessions, pending_passwords, auth_codes)),
        )


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
    )
