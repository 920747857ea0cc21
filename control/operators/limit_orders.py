"""Orders about limits: what a user's room may have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from control.access.quotas import Quota, Quotas
from control.operators.orders import Answer, Impossible, Order
from control.operators.user_orders import UserOrders
from control.refusals import BadParameter

USUAL = "usual"


class LimitOrders:
    def __init__(self, user_orders: UserOrders, quotas: Quotas) -> None:
        self._users = user_orders
        self._quotas = quotas

    @property
    def table(self) -> dict[str, Order]:
        return {"show-limits": self.show, "limit": self.limit}

    async def show(self, given: Mapping[str, Any]) -> Answer:
        """`own` has None where it is as for all."""
        user = await self._users.named(given)
        own = await self._quotas.own(user.id)
        return {"user": user.id, "usual": self._quotas.usual._asdict(), "own": own}

    async def limit(self, given: Mapping[str, Any]) -> Answer:
        """Those of Quota that are named: a number, 0 for none, or `usual`: as for all."""
        user = await self._users.named(given)
        values = {name: _value(name, given[name]) for name in Quota._fields if name in given}
        try:
            await self._quotas.set(user.id, values)
        except BadParameter as failure:
            raise Impossible(f"{failure.field}: too large") from None
        return await self.show(given)


def _value(name: str, value: Any) -> int | None:
    if value == USUAL:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise Impossible(f"{name}: a whole number, 0 for none, or {USUAL}")
    return value
