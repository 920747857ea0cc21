"""The two questions that `/confirm` asks, the page behind the link that a password change sends out.

The token stands behind the `#` of the page's address, which browsers do not send; the page reads it from there,
takes it out of the address, and posts it.
"""

from __future__ import annotations

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from control.accounts.recovery import Recovery
from control.web.pages import HEADERS


class Confirmations:
    def __init__(self, recovery: Recovery) -> None:
        self._recovery = recovery

    async def ask(self, request: Request) -> Response:
        """Whose password it is: `{"token"}` is answered with `{"account"}`, null where nothing waits."""
        return JSONResponse({"account": await self._recovery.asked_for(await _token(request))}, headers=HEADERS)

    async def confirm(self, request: Request) -> Response:
        """`{"token"}` is answered with `{"confirmed"}`."""
        return JSONResponse({"confirmed": await self._recovery.confirm(await _token(request))}, headers=HEADERS)


async def _token(request: Request) -> str:
    try:
        values = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        return ""
    token = values.get("token") if isinstance(values, dict) else None
    return token if isinstance(token, str) else ""
