"""Operators' orders: JSON over a unix socket in the data folder, which the node's user and root alone can reach, and no
nginx in a container of its own. No answer has a password, a ticket or a session's id."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
import structlog
from starlette.requests import Request
from starlette.responses import Response

from control.refusals import Refusal

Answer = dict[str, Any]
Order = Callable[[Mapping[str, Any]], Awaitable[Answer]]

READING = ("find-", "show-", "live-")

log = structlog.get_logger()


class Impossible(Exception):
    """An order that cannot be carried out; the message tells a person why."""


class Orders:
    """By their names. Those that change something are written in the security log."""

    def __init__(self, orders: Mapping[str, Order]) -> None:
        self._orders = orders

    async def answer(self, request: Request) -> Response:
        """`POST /order/{name}`"""
        name = request.path_params["name"]
        order = self._orders.get(name)
        if order is None:
            return _told(404, {"error": f"this control knows no order {name}: it is of another release"})
        given = orjson.loads(await request.body() or b"{}")
        try:
            answer = await order(given)
        except Impossible as failure:
            return _told(409, {"error": str(failure)})
        except Refusal as refusal:
            return _told(409, {"error": f"refused: {type(refusal).__name__}"})
        if not name.startswith(READING):
            log.info("order carried out", order=name, user=answer.get("user"), room=answer.get("room"))
        return _told(200, answer)


def _told(status: int, answer: Answer) -> Response:
    return Response(orjson.dumps(answer), status, media_type="application/json")


def number(given: Mapping[str, Any], name: str) -> int:
    """Raises Impossible for what is none."""
    value = given.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Impossible(f"{name}: a whole number")
    return value


def text(given: Mapping[str, Any], name: str) -> str:
    """Raises Impossible for what is none."""
    value = given.get(name)
    if not isinstance(value, str):
        raise Impossible(f"{name}: a text")
    return value
