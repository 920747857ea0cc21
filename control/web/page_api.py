"""The APIs for our own pages: the session's id is in a cookie that no script can read, instead of in the body."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from math import ceil
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from control.accounts.sessions import Caller
from control.api.envelope import Api, Call, Reply, answered
from control.api.logins import log_out
from control.api.people import login
from control.api.services import Services
from control.refusals import SessionExpired

COOKIE = "qplus_session"
# What a browser takes for this name over TLS alone, for the whole host, and from no page of another host of the domain.
TLS_COOKIE = f"__Host-{COOKIE}"
# A page of another site cannot send this header: the browser asks for permission first, and control never gives it.
OWN = ("x-qplus-page", "1")


def page_endpoint(api: Api, services: Services) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        if request.headers.get(OWN[0]) != OWN[1]:
            return Response(status_code=403)
        return await answered(api, services, request, {"sessionId": _session_id(request, services)})

    return answer


def log_in_endpoint(services: Services) -> Callable[[Request], Awaitable[Response]]:
    """Login, whose session id goes into the cookie and not to the page. It takes the place of the browser's login."""

    async def answer(request: Request) -> Response:
        begun: list[str] = []

        async def keep(call: Call) -> Reply:
            answer = await login(call)
            begun.append(answer.pop("sessionId"))
            return answer

        response = await page_endpoint(keep, services)(request)
        for session_id in begun:
            if before := _session_id(request, services):
                await services.sessions.end_id(before)
            response.set_cookie(value=session_id, **_cookie(request, services))
        return response

    return answer


def log_out_endpoint(services: Services) -> Callable[[Request], Awaitable[Response]]:
    """LogOut, which also clears the cookie: where the session had ended already, too."""
    answer_page = page_endpoint(log_out, services)

    async def answer(request: Request) -> Response:
        response = await answer_page(request)
        if response.status_code == 200:
            response.delete_cookie(**_cookie(request, services))
        return response

    return answer


def _cookie(request: Request, services: Services) -> dict[str, Any]:
    tls = _over_tls(request, services)
    return {"key": TLS_COOKIE if tls else COOKIE, "path": "/", "secure": tls, "httponly": True, "samesite": "strict"}


def _session_id(request: Request, services: Services) -> str:
    """ "" where there is none. Over TLS the other cookie is not believed: a page of another host may have set it."""
    return request.cookies.get(TLS_COOKIE if _over_tls(request, services) else COOKIE, "")


def _over_tls(request: Request, services: Services) -> bool:
    return request.scope["scheme"] == "https" or services.settings.site.startswith("https:")


async def who_am_i(call: Call) -> Reply:
    """The caller as the pages show them; `account` is "" for a visitor who is not logged in."""
    try:
        user = (await call.caller()).user
    except SessionExpired:
        return {"account": ""}
    return {
        "account": user.account,
        "userId": user.id,
        "phone": user.phone,
        "nickName": user.nick_name,
        "headPicId": user.head_picture_id,
        "liveRoomId": user.room_id,
    }


async def get_my_ban(call: Call) -> Reply:
    """`seconds` for which the caller may not watch a room, 0 for none: the contract has no status that says so, and a
    password cannot help."""
    caller = await call.caller()
    room_id = call.fields.needed_number("liveRoomId")
    return {"seconds": ceil(await call.services.bans.seconds_left(room_id, caller.user.id))}


async def caller_of(request: Request, services: Services) -> Caller:
    """The user of a page's cookie; renews the session. Raises SessionExpired."""
    session_id = _session_id(request, services)
    if not session_id:
        raise SessionExpired
    return await services.sessions.caller(session_id)
