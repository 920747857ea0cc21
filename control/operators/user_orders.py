"""Orders about users."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from control.accounts.blocking import Blocking
from control.accounts.identity import folded, typed_phone
from control.accounts.origin import Origin
from control.accounts.sessions import Caller
from control.accounts.users import User, read_user, select_user
from control.api.services import Services
from control.operators.orders import Answer, Impossible, Order, number, text
from control.storage.database import Store
from control.storage.tables import LAST_USER_ID, users

MOST = 100  # that are told of
OPERATOR = Origin("127.0.0.1", "qplus")


class UserOrders:
    def __init__(self, services: Services, store: Store, blocking: Blocking) -> None:
        self._services = services
        self._store = store
        self._blocking = blocking

    @property
    def table(self) -> dict[str, Order]:
        return {
            "find-users": self.find,
            "show-user": self.show,
            "sign-out": self.sign_out,
            "send-code": self.send_code,
            "block-user": self.block,
            "unblock-user": self.unblock,
        }

    async def find(self, given: Mapping[str, Any]) -> Answer:
        """Those whose account or e-mail address begins so, or whose phone it is; "" for the newest."""
        wanted = text(given, "text")
        query = select_user()
        if wanted:
            key = folded(wanted)
            begins = (
                users.c.account_key.startswith(key, autoescape=True),
                users.c.email_key.startswith(key, autoescape=True),
            )
            query = query.where(sa.or_(*begins, users.c.phone == (typed_phone(wanted) or wanted)))
        rows = await self._store.fetch_all(query.order_by(users.c.id.desc()).limit(MOST))
        return {"users": [_told(read_user(row)) for row in rows]}

    async def show(self, given: Mapping[str, Any]) -> Answer:
        user = await self.named(given)
        logins = await self._services.sessions.of(user)
        blocked = await self._blocking.is_blocked(user)
        return _told(user) | {"blocked": blocked, "logins": [asdict(login) for login in logins]}

    async def sign_out(self, given: Mapping[str, Any]) -> Answer:
        """Ends all sessions of a user."""
        user = await self.named(given)
        ended = len(await self._services.sessions.of(user))
        await self._services.sessions.end_all(Caller(user, ""))
        return {"user": user.id, "ended": ended}

    async def send_code(self, given: Mapping[str, Any]) -> Answer:
        """A code to the phone's holder, by which they choose a new password; nobody else is told it."""
        user = await self.named(given)
        await self._services.recovery.send_code(user, OPERATOR)
        return {"user": user.id, "sent": True}

    async def block(self, given: Mapping[str, Any]) -> Answer:
        """Ends their logins and their broadcast, and lets them in no more."""
        user = await self.named(given)
        await self._blocking.block(user)
        return {"user": user.id, "room": user.room_id, "blocked": True}

    async def unblock(self, given: Mapping[str, Any]) -> Answer:
        user = await self.named(given)
        await self._blocking.unblock(user)
        return {"user": user.id, "room": user.room_id, "blocked": False}

    async def named(self, given: Mapping[str, Any]) -> User:
        """By number or account. Raises Impossible."""
        if isinstance(given.get("user"), int):
            user_id = number(given, "user")
            found = await self._services.users.of(user_id) if 0 < user_id <= LAST_USER_ID else None
        else:
            row = await self._store.fetch_one(select_user().where(users.c.account_key == folded(text(given, "user"))))
            found = read_user(row) if row else None
        if found is None:
            raise Impossible(f"there is no user {given['user']}")
        return found


def _told(user: User) -> Answer:
    told = asdict(user)
    return {"user": told.pop("id"), "room": told.pop("room_id"), **told}
