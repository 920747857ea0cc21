"""Orders about who may enter the console: of the command line alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from control.console.audit import Audit
from control.console.operators import Operators
from control.operators.orders import Answer, Impossible, Order
from control.operators.user_orders import UserOrders

HERE = "command line"  # who did it, in the audit


class OperatorOrders:
    def __init__(self, operators: Operators, users: UserOrders, audit: Audit) -> None:
        self._operators = operators
        self._users = users
        self._audit = audit

    @property
    def table(self) -> dict[str, Order]:
        return {"add-operator": self.add, "remove-operator": self.remove, "find-operators": self.find}

    async def add(self, given: Mapping[str, Any]) -> Answer:
        user = await self._users.named(given)
        uri = await self._operators.add(user)
        await self._audit.note(HERE, "", "add-operator", {"account": user.account})
        return {"user": user.id, "account": user.account, "uri": uri}

    async def remove(self, given: Mapping[str, Any]) -> Answer:
        user = await self._users.named(given)
        if not await self._operators.remove(user):
            raise Impossible(f"{user.account} is no operator")
        await self._audit.note(HERE, "", "remove-operator", {"account": user.account})
        return {"user": user.id, "account": user.account}

    async def find(self, given: Mapping[str, Any]) -> Answer:
        return {"operators": await self._operators.all()}
