"""The APIs for our own pages: the session's id is in a cookie that no script can read, instead of in the body."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from math import ceil
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from control.accounts.sessions import Caller
from control.api import requests
from control.api.envelope import Api, Call, Reply, answered
from control.api.logins import log_out
from control.api.parameters import Given
from control.api.people import login
from control.api.services import Services
from control.refusals import SessionExpired
from control.web.assist import assist_room, forget_passwords, keep_password, shown_password
from control.web.cookies import cookie, cookie_value

COOKIE = "qplus_session"
# A page of another site cannot send this header: the browser asks for permission first, and control never gives it.
OWN = ("x-qplus-page", "1")


def page_endpoint(api: Api[Any], services: Services) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        if request.headers.get(OWN[0]) != OWN[1]:
            return Response(status_code=403)
        own = {"sessionId": _session_id(request, services)} | shown_password(request, services)
        return await answered(api, services, request, own)

    return answer


def log_in_endpoint(services: Services) -> Callable[[Request], Awaitable[Response]]:
    """Login, whose session id goes into the cookie and not to the page. It takes the place of the browser's login."""

    async def answer(request: Request) -> Response:
        begun: list[tuple[str, int]] = []

        async def keep(call: Call[requests.Login]) -> Reply:
            answer = await login(call)
            session_id = answer.pop("sessionId")
            begun.append((session_id, (await services.sessions.caller(session_id)).user.id))
            return answer

        response = await page_endpoint(Api(keep, requests.Login), services)(request)
        for session_id, user_id in begun:
            forget_passwords(response, request, services, but_of=user_id)
            if before := _session_id(request, services):
                await services.sessions.end_id(before)
            response.set_cookie(value=session_id, **cookie(COOKIE, request, services))
        return response

    return answer


def log_out_endpoint(services: Services) -> Callable[[Request], Awaitable[Response]]:
    """LogOut, which also clears the cookies: where the session had ended already, too."""
    answer_page = page_endpoint(Api(log_out, requests.LogOut), services)

    async def answer(request: Request) -> Response:
        response = await answer_page(request)
        if response.status_code == 200:
            response.delete_cookie(**cookie(COOKIE, request, services))
            forget_passwords(response, request, services)
        return response

    return answer


def assist_endpoint(services: Services) -> Callable[[Request], Awaitable[Response]]:
    """AssistRoom, whose password goes into the room's cookie once it was right."""

    async def answer(request: Request) -> Response:
        let_in: list[tuple[int, str, int]] = []

        async def keep(call: Call[requests.Moderating]) -> Reply:
            answer, user_id = await assist_room(call), (await call.caller()).user.id
            let_in.append((call.fields.liveRoomId, call.fields.liveRoomAssistPwd, user_id))
            return answer

        response = await page_endpoint(Api(keep, requests.Moderating), services)(request)
        for room_id, password, user_id in let_in:
            if password:  # the owner needs none
                keep_password(response, request, services, room_id, password, user_id)
        return response

    return answer


def _session_id(request: Request, services: Services) -> str:
    """ "" where there is none."""
    return cookie_value(COOKIE, request, services)


async def who_am_i(call: Call[Given]) -> Reply:
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


async def get_my_ban(call: Call[requests.OfRoom]) -> Reply:
    """`seconds` for which the caller may not watch a room, 0 for none: the contract has no status that says so, and a
    password cannot help."""
    caller = await call.caller()
    room_id = call.fields.liveRoomId
    return {"seconds": ceil(await call.services.bans.seconds_left(room_id, caller.user.id))}


async def caller_of(request: Request, services: Services) -> Caller:
    """The user of a page's cookie; renews the session. Raises SessionExpired."""
    session_id = _session_id(request, services)
    if not session_id:
        raise SessionExpired
    return await services.sessions.caller(session_id)
