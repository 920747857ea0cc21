"""A request in, a reply out: `access`, `status`, `desc`, and what the API adds. Here an exception becomes an answer."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache
from time import perf_counter
from typing import Any, Generic, TypeVar

import orjson
import structlog
from prometheus_client import Counter
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from control.accounts.origin import Origin
from control.accounts.sessions import Caller
from control.api.fields import Fields
from control.api.parameters import Given
from control.api.play_urls import Place, place
from control.api.services import Services
from control.api.statuses import Status, answer_to
from control.api.uploads import Busy, TooLarge, TooSlow
from control.ops import metrics
from control.ops.causes import because
from control.refusals import Orphaned, Refusal, SessionExpired

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(:[0-9]{1,5})?")
UPLOAD = "ModifyUserHeadPic"
UNREAD = {TooLarge: 413, TooSlow: 408, ClientDisconnect: 400}
"""HTTP statuses, by why a body was not read; the last is read by nobody."""
NEVER_KEPT = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
"""Answers hold passwords and session ids."""
_HEADERS = [(b"content-type", b"application/json"), *((k.lower().encode(), v.encode()) for k, v in NEVER_KEPT.items())]

log = structlog.get_logger()


Asked = TypeVar("Asked", bound=Given, covariant=True)


@dataclass(frozen=True, slots=True)
class Call(Generic[Asked]):
    """One request to an API."""

    services: Services
    access: str
    """The path."""
    fields: Asked
    request: Request

    @property
    def origin(self) -> Origin:
        return origin_of(self.request)

    @property
    def address(self) -> str:
        """The client's."""
        return address_of(self.request)

    async def caller(self) -> Caller:
        """Renews the session. Raises SessionExpired."""
        session_id = self.fields.raw.text("sessionId")
        if not session_id:
            raise SessionExpired
        return await self.services.sessions.caller(session_id)

    @property
    def place(self) -> Place:
        settings = self.services.settings
        return place(site(self.request), settings.rtmp_port, settings.rtmp_url, settings.public_url)


class _Json(Response):
    """Whose headers are put together once."""

    def init_headers(self, headers: Mapping[str, str] | None = None) -> None:
        self.raw_headers = [*_HEADERS, (b"content-length", b"%d" % len(self.body))]


Reply = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Api(Generic[Asked]):
    """What is done, and what it is asked."""

    answer: Callable[[Call[Asked]], Awaitable[Reply]]
    request: type[Asked]


@dataclass(frozen=True)
class Endpoint:
    """An API as an application. Starlette puts another that handles exceptions around a function, of which none leaves
    this one."""

    api: Api[Any]
    services: Services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await answered(self.api, self.services, Request(scope, receive, send), {})
        await response(scope, receive, send)


async def answered(api: Api[Any], services: Services, request: Request, own: Mapping[str, str]) -> Response:
    """`own` fields stand in for the body's. Raises nothing."""
    began = perf_counter()
    response = await guarded(request, _asked(api, services, request, own))
    metrics.api_seconds.since(_name(request.scope["path"]), began)
    return response


async def _asked(api: Api[Any], services: Services, request: Request, own: Mapping[str, str]) -> Response:
    if request.scope["path"].rpartition("/")[2] == UPLOAD:
        async with services.uploads.body(request.stream(), own.get("sessionId")) as body:
            return await _said(api, _call(api, services, request, body, own))
    return await _in_turn(api, _call(api, services, request, await services.bodies.read(request), own))


async def asked_by_query(api: Api[Any], services: Services, request: Request, session_id: str) -> Response:
    """Likewise, with the fields in the URL."""
    own = dict(request.query_params) | {"sessionId": session_id}
    call = _call(api, services, request, b"{}", own)
    return await guarded(request, _in_turn(api, call))


async def _in_turn(api: Api[Any], call: Call[Any]) -> Response:
    async with call.services.turns.turn(call.fields.raw.claimed("sessionId"), call.address):
        return await _said(api, call)


def _call(api: Api[Asked], services: Services, request: Request, body: bytes, own: Mapping[str, str]) -> Call[Asked]:
    fields = Fields(body)
    for name, value in own.items():
        fields.put(name, value)
    return Call(services, request.scope["path"], api.request(fields), request)


async def _said(api: Api[Asked], call: Call[Asked]) -> Response:
    because.set(call.access.rpartition("/")[2])
    try:
        more = await api.answer(call)
    except Orphaned:
        await call.caller()  # it may be the caller who was deleted
        raise
    return reply(call.access, Status.SUCCESS, Status.SUCCESS.text, more)


async def guarded(request: Request, answer: Awaitable[Response]) -> Response:
    """The answer, or the one to the exception it ends in. Raises nothing: not when it is cut off either, by a control
    that ends and cannot wait for it any longer."""
    access = request.scope["path"]
    try:
        return await answer
    except Refusal as refusal:
        return reply(access, *answer_to(refusal))
    except tuple(UNREAD) as unread:
        return Response(status_code=UNREAD[type(unread)])
    except (Busy, asyncio.CancelledError):
        return Response(status_code=503, headers={"Retry-After": "1"})
    except Exception:
        log.exception("api failed", access=access, request=request.headers.get("x-request-id"))
        return reply(access, Status.SERVER_ERROR, Status.SERVER_ERROR.text)


def origin_of(request: Request) -> Origin:
    agent = request.headers.get("user-agent", "")
    return Origin(address_of(request), agent, request.is_disconnected)


def address_of(request: Request) -> str:
    client = request.scope["client"]
    return client[0] if client else ""


def site(request: Request) -> str:
    """How the client reached us, as far as its Host header can be taken for a host."""
    host = request.headers.get("host", "")
    return f"{request.scope['scheme']}://{host if _HOST.fullmatch(host) else 'localhost'}"


def reply(access: str, status: Status, text: str, more: Reply | None = None) -> Response:
    _answers(access, status.number).inc()
    content = {"access": access, "status": status.number, "desc": text} | (more or {})
    return _Json(orjson.dumps(content))


def _name(access: str) -> str:
    """The same for apps and for our pages."""
    return access.rpartition("/")[2]


@cache
def _answers(access: str, status: int) -> Counter:
    """Of few paths: others have no API."""
    return metrics.api_answers.labels(_name(access), str(status))
