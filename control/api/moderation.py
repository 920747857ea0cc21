"""GetRoomPlayers, KickPlayer, BanUser: a room's owner or assistant, and its viewers."""

from __future__ import annotations

import structlog

from control.access.rights import Rights
from control.accounts.users import NOBODY, User
from control.api import requests
from control.api.envelope import Call, Reply
from control.clock import Ticks
from control.guessing.guesses import Secret
from control.live.audience import Viewer
from control.nginx_rtmp.putting_out import Receipt
from control.refusals import Banned, NoSuchRoom

log = structlog.get_logger()


async def get_room_players(call: Call[requests.GetRoomPlayers]) -> Reply:
    room, _ = await moderated(call)
    services = call.services
    number, shown = await services.moderation.viewers(room.room_id, call.fields.count)
    users = await services.users.of_all([viewer.user_id for viewer in shown if viewer.user_id > 0])
    now = services.clock.ticks()
    return {
        "number": number,
        "list": [_player(viewer, users.get(viewer.user_id, NOBODY), now) for viewer in shown],
        "bannedList": [
            {"userId": ban.user_id, "nickName": ban.nick_name, "seconds": round(ban.seconds_left)}
            for ban in await services.bans.of_room(room.room_id, requests.MOST_VIEWERS)
        ],
    }


async def kick_player(call: Call[requests.KickPlayer]) -> Reply:
    room, by = await moderated(call)
    user_id, receipt = await call.services.moderation.kick(room.room_id, call.fields.playerId)
    if receipt.concerned:
        log.info("viewer kicked", room=room.room_id, user=user_id, by=by, address=call.address)
    return _told(receipt)


async def ban_user(call: Call[requests.BanUser]) -> Reply:
    room, by = await moderated(call)
    services, fields = call.services, call.fields
    user_id = fields.userId
    if not fields.status:
        await services.bans.lift(room, user_id)
        log.info("user unbanned", room=room.room_id, user=user_id, by=by, address=call.address)
        return _told(Receipt())
    seconds = fields.timeout
    async with services.moderation.putting_out(room.room_id, user_id) as receipt:
        await services.bans.ban(room, user_id, seconds, receipt.addresses)
        log.info("user banned", room=room.room_id, user=user_id, seconds=seconds, by=by, address=call.address)
    return _told(receipt)


async def moderated(call: Call[requests.Moderating]) -> tuple[Rights, int]:
    """The room of the request, which the caller owns or knows the assistant's password of, and the caller's id. Raises
    NoSuchRoom, also where neither is claimed, BadRoomPassword, TooManyGuesses and Banned."""
    caller, fields = await call.caller(), call.fields
    room = await call.services.admission.room(fields.liveRoomId)
    shown = fields.liveRoomAssistPwd
    if room is None or (room.owner_id != caller.user.id and not shown):
        raise NoSuchRoom
    if room.owner_id != caller.user.id:
        await call.services.admission.check_password(Secret.ASSISTANT, room.room_id, shown, call.address)
    if await call.services.bans.seconds_left(room.room_id, caller.user.id):
        raise Banned  # or they would lift it themselves
    return room, caller.user.id


def _told(receipt: Receipt) -> Reply:
    return {"concerned": receipt.concerned, "gone": receipt.gone}


def _player(viewer: Viewer, user: User, now: Ticks) -> Reply:
    return {
        "playerId": viewer.id,
        "userId": max(0, viewer.user_id),
        "isGuest": 1 if viewer.user_id < 0 else 0,
        "nickName": user.nick_name,
        "headPicId": user.head_picture_id,
        "protocol": viewer.protocol,
        "seconds": round(now - viewer.since),
    }
