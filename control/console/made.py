"""The console, made of its parts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from control.api.services import Services
from control.console.audit import Audit
from control.console.entrance import Entrance
from control.console.figures import Counted, Figures
from control.console.operator_orders import OperatorOrders
from control.console.operators import Operators
from control.console.sights import Sights
from control.live.heartbeats import Heartbeats
from control.live.nodes import Nodes
from control.operators.orders import Order
from control.operators.user_orders import UserOrders
from control.ops import metrics
from control.storage.database import Store

JOINS = ("publish", "play")


@dataclass(frozen=True, kw_only=True)
class Console:
    entrance: Entrance
    operators: Operators
    operator_orders: OperatorOrders
    figures: Figures
    audit: Audit

    async def purge(self) -> None:
        await self.figures.purge()
        await self.audit.purge()


def made(
    services: Services,
    *,
    store: Store,
    operators: Operators,
    nodes: Nodes,
    heartbeats: Heartbeats,
    players: Callable[[], int],
    users: UserOrders,
    orders: Mapping[str, Order],
) -> Console:
    """`orders` are those that an operator may give there too; `players` tells how many watch at this node."""
    clock, settings = services.clock, services.settings
    audit = Audit(store, clock)
    figures = Figures(
        store=store,
        node=settings.node,
        presence=services.presence,
        heartbeats=heartbeats,
        players=players,
        counted=counted,
        clock=clock,
    )
    sights = Sights(settings=settings, store=store, nodes=nodes, figures=figures, audit=audit)
    entrance = Entrance(services=services, operators=operators, audit=audit, orders={**orders, **sights.table})
    return Console(
        entrance=entrance,
        operators=operators,
        operator_orders=OperatorOrders(operators, users, audit),
        figures=figures,
        audit=audit,
    )


def counted() -> Counted:
    """As Prometheus would be told."""
    joins = refusals = 0.0
    for family in metrics.callbacks.collect():
        for sample in family.samples:
            if sample.name.endswith("_total") and sample.labels["call"] in JOINS:
                joins += sample.value if sample.labels["answer"] == "yes" else 0.0
                refusals += sample.value if sample.labels["answer"] == "no" else 0.0
    answered = defaultdict[float, float](float)
    for family in metrics.callback_seconds.collect():
        for sample in family.samples:
            if sample.name.endswith("_bucket"):
                answered[float(sample.labels["le"])] += sample.value
    return Counted(joins, refusals, tuple(sorted(answered.items())))
