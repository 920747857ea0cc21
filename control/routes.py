"""Every door in one table."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from control.api import own_rooms, people, visits
from control.api.envelope import Api, endpoint
from control.api.people import get_user_head_pic
from control.api.services import Services
from control.delivery.hls_door import HlsDoor
from control.nodes.callbacks import Callbacks
from control.nodes.form import CALLS
from control.web import confirm
from control.web.confirm import Confirmations

Probe = Callable[[Request], Awaitable[Response]]

APIS: dict[str, Api] = {
    "Login": people.login,
    "Register": people.register,
    "ModifyUserPwd": people.modify_user_pwd,
    "AuthCode": people.auth_code,
    "ModifyUserInfo": people.modify_user_info,
    "ModifyUserHeadPic": people.modify_user_head_pic,
    "GetMyLiveRoomId": own_rooms.get_my_live_room_id,
    "GetMyLiveRoom": own_rooms.get_my_live_room,
    "CreateLiveRoom": own_rooms.create_live_room,
    "ModifyMyLiveRoom": own_rooms.modify_my_live_room,
    "PushLiveStream": own_rooms.push_live_stream,
    "GetLiveRoomList": visits.get_live_room_list,
    "SearchLiveStream": visits.search_live_stream,
    "SearchLiveRoom": visits.search_live_stream,
    "FollowLiveRoom": visits.follow_live_room,
    "PlayLiveStream": visits.play_live_stream,
    "GetLiveroomNumber": visits.get_liveroom_number,
}


def public(services: Services, confirmations: Confirmations, alive: Probe, ready: Probe) -> list[BaseRoute]:
    """Behind the web nginx."""
    return [
        *(Route(f"/live/{name}", endpoint(api, services), methods=["POST"]) for name, api in APIS.items()),
        Route("/live/GetUserHeadPic", partial(get_user_head_pic, services=services), methods=["GET"]),
        Route("/confirm", confirm.page, methods=["GET"]),
        Route("/confirm", confirmations.confirm, methods=["POST"]),
        Route("/confirm/ask", confirmations.ask, methods=["POST"]),
        Mount("/static", StaticFiles(directory=confirm.STATIC)),
        Route("/healthz", alive),
        Route("/readyz", ready),
    ]


def internal(callbacks: Callbacks, hls_door: HlsDoor, alive: Probe, ready: Probe) -> list[BaseRoute]:
    """On a unix socket that only nginx can reach."""
    return [
        *(
            Route(f"/rtmp/{{node}}/{{start}}/{call}", partial(callbacks.answer, call), methods=["POST"])
            for call in sorted(CALLS)
        ),
        Route("/hls", hls_door.answer, methods=["GET"]),
        Route("/healthz", alive),
        Route("/readyz", ready),
    ]
