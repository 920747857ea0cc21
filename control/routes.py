"""Every route in one table."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any

from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Match, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from control.access.rights import ROOM_ID
from control.api import requests
from control.api.definitions import DEFINITIONS
from control.api.envelope import Api, Endpoint, answered
from control.api.hooks import get_events_by_query
from control.api.openapi import get_openapi, written
from control.api.parameters import Given
from control.api.people import get_user_head_pic
from control.api.services import Services
from control.nginx_rtmp.callbacks import Callbacks
from control.nginx_rtmp.form import CALLS
from control.nginx_rtmp.grace import Grace
from control.nginx_rtmp.hls_auth import HlsAuth
from control.operators.orders import Orders
from control.web import public_rooms
from control.web.confirm import Confirmations
from control.web.events import Events
from control.web.health import Health
from control.web.metrics_page import MetricsPage
from control.web.page_api import (
    assist_endpoint,
    get_my_ban,
    log_in_endpoint,
    log_out_endpoint,
    page_endpoint,
    who_am_i,
)
from control.web.pages import STATIC, page, room_page
from control.web.room_streams import RoomStreams
from control.web.studio import Studio


class RoomId(Convertor[int]):
    """What spells no room id is an unknown path."""

    regex = ROOM_ID

    def convert(self, value: str) -> int:
        return int(value)

    def to_string(self, value: int) -> str:
        return str(value)


register_url_convertor("room", RoomId())


class Paths(BaseRoute):
    """Routes without parameters, found by one lookup: to look through fifty costs more than some answers."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = {route.path: route for route in routes}
        self._methods = {route.path: route.methods or () for route in self._routes.values()}

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        methods = self._methods.get(scope["path"])
        if methods is None:
            return Match.NONE, {}
        return Match.FULL if scope["method"] in methods else Match.PARTIAL, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._routes[scope["path"]].handle(scope, receive, send)


APIS: dict[str, Api[Any]] = {name: each.api for name, each in DEFINITIONS.items()}
PAGE_APIS: dict[str, Api[Any]] = {name: api for name, api in APIS.items() if name not in ("Login", "LogOut")} | {
    "WhoAmI": Api(who_am_i, Given),
    "GetMyBan": Api(get_my_ban, requests.OfRoom),
    "GetPastBroadcasts": Api(public_rooms.get_past_broadcasts, requests.Visiting),
}


def public(
    services: Services,
    confirmations: Confirmations,
    events: Events,
    streams: RoomStreams,
    studio: Studio,
    health: Health,
) -> list[BaseRoute]:
    """Behind the web nginx."""
    written()  # now: who asks first would hold the loop for it
    apis = [
        *(Route(f"/live/{name}", Endpoint(api, services), methods=["POST"]) for name, api in APIS.items()),
        Route("/live/GetEvents", _events(services), methods=["GET", "POST"]),
        Route("/live/GetUserHeadPic", partial(get_user_head_pic, services=services), methods=["GET"]),
        *(Route(f"/web/{name}", page_endpoint(api, services), methods=["POST"]) for name, api in PAGE_APIS.items()),
        Route("/web/Login", log_in_endpoint(services), methods=["POST"]),
        Route("/web/LogOut", log_out_endpoint(services), methods=["POST"]),
        Route("/web/AssistRoom", assist_endpoint(services), methods=["POST"]),
    ]
    return [
        Paths(apis),
        Route("/web/room/{room:room}", partial(public_rooms.room, services=services), methods=["GET"]),
        Route("/web/room/{room:room}/qr.svg", partial(public_rooms.qr, services=services), methods=["GET"]),
        Route("/events", events.front, methods=["GET"]),
        Route("/events/room/{room:room}", streams.answer, methods=["GET"]),
        Route("/events/studio", events.studio, methods=["GET"]),
        Route("/openapi.json", get_openapi, methods=["GET"]),
        Route("/", page("front"), methods=["GET"]),
        Route("/room/{room:room}", partial(room_page, services=services), methods=["GET"]),
        Route("/studio", page("studio"), methods=["GET"]),
        Route("/assist/{room:room}", page("assist"), methods=["GET"]),
        Route("/profile", page("profile"), methods=["GET"]),
        Route("/api", page("api"), methods=["GET"]),
        Route("/account", RedirectResponse("/profile", 308), methods=["GET"]),
        Route("/studio/qr.svg", studio.qr, methods=["GET"]),
        Route("/confirm", page("confirm"), methods=["GET"]),
        Route("/confirm", confirmations.confirm, methods=["POST"]),
        Route("/confirm/ask", confirmations.ask, methods=["POST"]),
        Mount("/static", StaticFiles(directory=STATIC)),
        Route("/accepts", health.accepts),
        Route("/healthz", health.alive),
        Route("/readyz", health.ready),
    ]


def _events(services: Services) -> Callable[[Request], Awaitable[Response]]:
    """The one API that can also be asked with everything in the URL, but for the session."""

    async def answer(request: Request) -> Response:
        if request.method == "GET":
            return await get_events_by_query(request, services)
        return await answered(APIS["GetEvents"], services, request, {})

    return answer


def internal(
    callbacks: Callbacks, grace: Grace, hls_auth: HlsAuth, health: Health, metrics_page: MetricsPage
) -> list[BaseRoute]:
    """On a unix socket that only nginx can reach."""
    return [
        Route("/hls", hls_auth.answer, methods=["GET"]),  # first: the others are rare, or come another way
        Route("/node", hls_auth.for_peer, methods=["GET"]),
        Route("/snapshot", hls_auth.may_look, methods=["GET"]),
        *(
            Route(f"/rtmp/{{node}}/{{start}}/{call}", partial(callbacks.answer, call), methods=["POST"])
            for call in sorted(CALLS)
        ),
        Route("/grace", grace.answer, methods=["GET"]),
        *metrics(metrics_page),
        Route("/healthz", health.alive),
        Route("/readyz", health.ready),
    ]


def metrics(page: MetricsPage) -> list[BaseRoute]:
    """On the internal socket, and on a port of their own where that is set."""
    return [Route("/metrics", page.answer, methods=["GET"])]


def operators(orders: Orders) -> list[BaseRoute]:
    """On a unix socket in the data folder."""
    return [Route("/order/{name}", orders.answer, methods=["POST"])]
