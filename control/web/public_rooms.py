"""Rooms as every visitor may see them, logged in or not."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from control.accounts.users import NOBODY
from control.api import requests
from control.api.envelope import Call, Reply, site
from control.api.services import Services
from control.live.broadcast_store import BroadcastRecord
from control.lobby.cards import Card
from control.refusals import NoSuchRoom
from control.web.qr import qr_code


def public_card(card: Card) -> dict[str, Any]:
    return {
        "id": card.room_id,
        "name": card.about.name,
        "topic": card.about.topic,
        "anchor": card.anchor.nick_name,
        "headPicId": card.anchor.head_picture_id,
        "needPassword": card.need_password,
        "isPublic": card.rights.is_public,
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


def room_address(request: Request, services: Services, room_id: int) -> str:
    """Of its page, for others."""
    return f"{services.settings.public_url.rstrip('/') or site(request)}/room/{room_id}"


async def qr(request: Request, services: Services) -> Response:
    """`GET /web/room/{room}/qr.svg`: its page's address."""
    return qr_code(room_address(request, services, request.path_params["room"]))


async def get_past_broadcasts(call: Call[requests.Visiting]) -> Reply:
    """`list`, the newest first; of an open room to everybody, of a private one to who may watch it, by `ticket`."""
    services, fields = call.services, call.fields
    card = await services.lobby.room(fields.liveRoomId, NOBODY)
    if card.need_password:
        caller = await call.caller()
        await services.visitors.admit(caller.user, card.room_id, fields.ticket, call.address)
    return {"list": [_past(record) for record in await services.past_broadcasts.of(card.room_id)]}


def _past(record: BroadcastRecord) -> Reply:
    ended_at = record.ended_at or record.seen_at
    return {
        "startTime": int(record.started_at),
        "endTime": int(ended_at),
        "duration": round(ended_at - record.started_at),
        "peakCount": record.peak_viewers,
    }
