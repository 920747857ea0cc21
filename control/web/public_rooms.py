"""Rooms as every visitor may see them, logged in or not."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from control.accounts.users import NOBODY
from control.api.services import Services
from control.lobby.cards import Card
from control.refusals import NoSuchRoom


def public_card(card: Card) -> dict[str, Any]:
    return {
        "id": card.room_id,
        "name": card.about.name,
        "topic": card.about.topic,
        "anchor": card.anchor.nick_name,
        "headPicId": card.anchor.head_picture_id,
        "needPassword": card.need_password,
    }


async def room(request: Request, services: Services) -> Response:
    """`GET /web/room/{room}`: 404 for a room that does not exist."""
    try:
        card = await services.lobby.room(request.path_params["room"], NOBODY)
    except NoSuchRoom:
        return Response(status_code=404)
    about = card.about
    more = {"description": about.description, "followCount": about.follow_count, "snapshotAt": card.snapshot_at}
    return Response(orjson.dumps(public_card(card) | more), media_type="application/json")
