"""The two questions that `/confirm` asks, the page behind the link that a password change sends out.

The token stands behind the `#` of the page's address, which browsers do not send; the page reads it from there,
takes it out of the address, and posts it.
"""

from __future__ import annotations

from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from control.accounts.recovery import Recovery
from control.api.bodies import Bodies
from control.api.envelope import UNREAD, origin_of
from control.refusals import HungUp, TooOften, WrongPassword
from control.web.pages import HEADERS


class Confirmations:
    def __init__(self, recovery: Recovery, bodies: Bodies) -> None:
        self._recovery = recovery
        self._bodies = bodies

    async def ask(self, request: Request) -> Response:
        """Whose password it is: `{"token"}` is answered with `{"account"}`, null where nothing waits."""
        try:
            values = await self._values(request)
        except tuple(UNREAD) as unread:
            return Response(status_code=UNREAD[type(unread)])
        return JSONResponse({"account": await self._recovery.asked_for(_text(values, "token"))}, headers=HEADERS)

    async def confirm(self, request: Request) -> Response:
        """`{"token", "password"}` is answered with `{"confirmed"}`, and where it is false with `"wrong"`, whether the
        password was. 429 where too many were."""
        try:
            values = await self._values(request)
            confirmed = await self._recovery.confirm(
                _text(values, "token"), _text(values, "password"), origin_of(request)
            )
        except tuple(UNREAD) as unread:
            return Response(status_code=UNREAD[type(unread)])
        except WrongPassword:
            return JSONResponse({"confirmed": False, "wrong": True}, headers=HEADERS)
        except (TooOften, HungUp):
            return JSONResponse({"confirmed": False, "wrong": False}, status_code=429, headers=HEADERS)
        return JSONResponse({"confirmed": confirmed, "wrong": False}, headers=HEADERS)

    async def _values(self, request: Request) -> dict[str, Any]:
        """Empty for what is no JSON object. Raises what is in UNREAD."""
        try:
            values = orjson.loads(await self._bodies.read(request))
        except orjson.JSONDecodeError:
            return {}
        return values if isinstance(values, dict) else {}


def _text(values: dict[str, Any], name: str) -> str:
    value = values.get(name)
    return value if isinstance(value, str) else ""
