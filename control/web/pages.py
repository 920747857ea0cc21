"""The pages themselves: files, what stands in several of them, and the headers they go out with."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from functools import cache
from html import escape
from pathlib import Path
from urllib.parse import urljoin

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from control.accounts.users import NOBODY
from control.api.services import Services
from control.lobby.cards import Card
from control.refusals import NoSuchRoom
from control.web.public_rooms import room_address

STATIC = Path(__file__).parent / "static"
HEADERS = {
    # blob: is how hls.js hands media to the browser; all else is ours alone.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self';"
        " media-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}
ABOUT = "<!--room-->"  # where room.html has what link previews show
INCLUDE = re.compile("<!--include ([a-z]+)-->")
DESCRIBED = 300  # characters of a description that they get


def page(name: str) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        return HTMLResponse(_markup(name), headers=HEADERS)

    return answer


async def room_page(request: Request, services: Services) -> Response:
    """`GET /room/{room}`, with what a link to it is shown with elsewhere. 404 for a room that does not exist."""
    room_id = request.path_params["room"]
    try:
        card = await services.lobby.room(room_id, NOBODY)
    except NoSuchRoom:
        return HTMLResponse(_markup("room"), 404, HEADERS)
    address = room_address(request, services, room_id)
    return HTMLResponse(_markup("room").replace(ABOUT, _preview(card, address), 1), headers=HEADERS)


@cache
def _markup(name: str) -> str:
    """A page's file, with those that it includes."""
    return INCLUDE.sub(lambda named: _markup(named[1]), (STATIC / f"{name}.html").read_text())


def _preview(card: Card, address: str) -> str:
    """https://ogp.me"""
    about = card.about
    properties = {
        "og:type": "video.other",
        "og:site_name": "QPlus",
        "og:title": about.name,
        "og:description": (about.description or about.topic)[:DESCRIBED],
        "og:url": address,
    }
    if card.snapshot_at:
        properties["og:image"] = urljoin(address, f"/snapshot/{card.room_id}.jpg?at={card.snapshot_at}")
    return "\n".join(f'<meta property="{name}" content="{escape(value)}">' for name, value in properties.items())
