"""The console's page and what it asks. Who asks is logged in as anybody is, is an operator, and has entered by a code;
a cookie of its own, which no script can read, keeps them in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from control.accounts.users import User
from control.api.envelope import guarded, origin_of
from control.api.services import Services
from control.console.audit import Audit
from control.console.operators import LIFETIME, Operators
from control.operators.orders import READING, Impossible, Order
from control.refusals import BadParameter, Refusal, SessionExpired, TooManyGuesses
from control.web.cookies import cookie, cookie_value
from control.web.page_api import OWN, caller_of
from control.web.pages import page

NAME = "qplus_console"
MOST = 4096  # bytes of a question

Asked = Callable[[Request, User], Awaitable[Response]]


class Entrance:
    def __init__(self, *, services: Services, operators: Operators, audit: Audit, orders: Mapping[str, Order]) -> None:
        self._services = services
        self._operators = operators
        self._audit = audit
        self._orders = orders

    @property
    def routes(self) -> list[Route]:
        return [
            Route("/console", page("console"), methods=["GET"]),
            Route("/console/enter", self._by_user(self.enter), methods=["POST"]),
            Route("/console/leave", self._by_user(self.leave), methods=["POST"]),
            Route("/console/order/{name}", self._by_user(self.order), methods=["POST"]),
            Route("/console/audit.csv", self._by_user(self.export), methods=["GET"]),
        ]

    async def enter(self, request: Request, user: User) -> Response:
        given = await self._given(request)
        token = await self._operators.enter(user, str(given.get("code", "")), origin_of(request))
        response = _told(200, {"account": user.account})
        response.set_cookie(value=token, max_age=LIFETIME, **cookie(NAME, request, self._services))
        await self._audit.note(user.account, origin_of(request).address, "enter", {})
        return response

    async def leave(self, request: Request, user: User) -> Response:
        await self._operators.leave(cookie_value(NAME, request, self._services))
        response = _told(200, {})
        response.delete_cookie(**cookie(NAME, request, self._services))
        return response

    async def order(self, request: Request, user: User) -> Response:
        """What changes something is written down once it was done, or refused."""
        await self._require(request, user)
        name, given = request.path_params["name"], await self._given(request)
        order = self._orders.get(name)
        if order is None:
            return _told(404, {"error": "no such order"})
        try:
            status, answer = 200, await order(given)
        except Impossible as failure:
            status, answer = 409, {"error": str(failure)}
        except Refusal as refusal:
            status, answer = 409, {"error": f"refused: {type(refusal).__name__}"}
        if not name.startswith(READING):
            address = origin_of(request).address
            await self._audit.note(user.account, address, name, {"asked": given, "answer": answer})
        return _told(status, answer)

    async def export(self, request: Request, user: User) -> Response:
        await self._require(request, user)
        headers = {"Content-Disposition": 'attachment; filename="audit.csv"', "Cache-Control": "no-store"}
        return Response(await self._audit.table(), media_type="text/csv", headers=headers)

    async def _require(self, request: Request, user: User) -> None:
        """Raises SessionExpired."""
        await self._operators.require(user, cookie_value(NAME, request, self._services))

    def _by_user(self, asked: Asked) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            if request.method == "POST" and request.headers.get(OWN[0]) != OWN[1]:
                return Response(status_code=403)
            return await guarded(request, self._judged(asked, request))

        return answer

    async def _judged(self, asked: Asked, request: Request) -> Response:
        try:
            return await asked(request, (await caller_of(request, self._services)).user)
        except SessionExpired:
            return _told(401, {"error": "enter first"})
        except TooManyGuesses:
            return _told(429, {"error": "too many wrong codes"})
        except BadParameter:
            return _told(409, {"error": "wrong"})

    async def _given(self, request: Request) -> dict[str, Any]:
        """Raises BadParameter."""
        body = await self._services.bodies.read(request)
        try:
            given = orjson.loads(body[: MOST + 1]) if len(body) <= MOST else None
        except orjson.JSONDecodeError:
            given = None
        if not isinstance(given, dict):
            raise BadParameter("body")
        return given


def _told(status: int, answer: Mapping[str, Any]) -> Response:
    return Response(orjson.dumps(answer), status, {"Cache-Control": "no-store"}, "application/json")
