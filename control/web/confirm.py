"""`/confirm`: the page behind the link that a password change sends out, and the two questions it asks.

The token stands behind the `#` of the page's address, which browsers send to nobody; the page reads it from there,
takes it out of the address, and posts it.
"""

from __future__ import annotations

from pathlib import Path

import orjson
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from control.accounts.recovery import Recovery

STATIC = Path(__file__).parent / "static"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


async def page(request: Request) -> Response:
    return FileResponse(STATIC / "confirm.html", headers=HEADERS)


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
