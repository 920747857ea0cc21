"""LogOut, GetMySessions, EndSession: where a user is logged in."""

from __future__ import annotations

import re

from control.accounts.sessions import NAME
from control.api import requests
from control.api.envelope import Call, Reply
from control.refusals import BadParameter

_LOGIN_ID = re.compile(f"[0-9a-f]{{{NAME}}}")


async def log_out(call: Call[requests.LogOut]) -> Reply:
    caller, sessions = await call.caller(), call.services.sessions
    everywhere = call.fields.everywhere
    await (sessions.end_all if everywhere else sessions.end)(caller)
    return {}


async def get_my_sessions(call: Call[requests.LoggedIn]) -> Reply:
    caller = await call.caller()
    return {
        "list": [
            {
                "loginId": login.name,
                "isCurrent": int(caller.session.startswith(login.name)),
                "loginTime": int(login.begun_at),
                "lastTime": int(login.used_at),
                "address": login.address,
                "client": login.client,
            }
            for login in await call.services.sessions.of(caller.user)
        ]
    }


async def end_session(call: Call[requests.EndSession]) -> Reply:
    caller, name = await call.caller(), call.fields.loginId
    if not _LOGIN_ID.fullmatch(name):
        raise BadParameter("loginId")
    await call.services.sessions.end_named(caller.user, name)
    return {}
