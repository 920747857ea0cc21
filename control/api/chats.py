"""SendRoomMessage, GetRoomMessages, DeleteRoomMessage, MuteUser, SetChat: a room's chat, and who keeps order in it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import structlog

from control.access.rights import Rights
from control.accounts.users import NOBODY, User
from control.api import requests
from control.api.envelope import Call, Reply
from control.api.moderation import moderated
from control.chat import rules
from control.chat.room_chat import Message

log = structlog.get_logger()


async def send_room_message(call: Call[requests.SendRoomMessage]) -> Reply:
    room, user = await _visited(call)
    message = await call.services.chat.send(room, user, call.fields.text)
    return {"number": message.number, "at": int(message.at)}


async def get_room_messages(call: Call[requests.GetRoomMessages]) -> Reply:
    room, _ = await _visited(call)
    chat, fields = await call.services.chat.of(room.room_id), call.fields
    count, after = fields.count, fields.after
    messages = chat.newest(count) if after is None or after < 0 else chat.after(after, count)
    return {
        "lastNumber": chat.last_number,
        "slowSeconds": chat.rules.slow_seconds,
        "list": [message_object(message) for message in messages],
    }


async def delete_room_message(call: Call[requests.DeleteRoomMessage]) -> Reply:
    room, by = await moderated(call)
    number = call.fields.number
    if await call.services.chat.delete(room.room_id, number):
        log.info("message deleted", room=room.room_id, number=number, by=by, address=call.address)
    return {}


async def mute_user(call: Call[requests.MuteUser]) -> Reply:
    room, by = await moderated(call)
    chat, fields = call.services.chat, call.fields
    user_id = fields.userId
    if not fields.status:
        await chat.unmute(room, user_id)
        log.info("user unmuted", room=room.room_id, user=user_id, by=by, address=call.address)
        return {}
    seconds = fields.timeout
    await chat.mute(room, user_id, seconds)
    log.info("user muted", room=room.room_id, user=user_id, seconds=seconds, by=by, address=call.address)
    return {}


async def set_chat(call: Call[requests.SetChat]) -> Reply:
    """What is left out stays; the answer says how all of it is now."""
    room, by = await moderated(call)
    chat, fields = call.services.chat, call.fields
    before = wanted = (await chat.of(room.room_id)).rules
    if (seconds := fields.slowSeconds) is not None and seconds != before.slow_seconds:
        wanted = replace(wanted, slow_seconds=rules.slow_seconds(seconds))
    if (words := fields.mutedWords) is not None:
        wanted = replace(wanted, muted_words=rules.muted_words(words))
    if wanted != before:
        await chat.set_rules(room.room_id, wanted)
        log.info("chat set", room=room.room_id, by=by, address=call.address)
    return {
        "slowSeconds": wanted.slow_seconds,
        "mutedWords": list(wanted.muted_words),
        "mutedList": await _muted(call, room),
    }


async def _muted(call: Call[Any], room: Rights) -> list[Reply]:
    left = await call.services.chat.muted(room.room_id)
    users = await call.services.users.of_all(left)
    return [
        {"userId": user_id, "nickName": users.get(user_id, NOBODY).nick_name, "seconds": seconds}
        for user_id, seconds in left.items()
    ]


async def _visited(call: Call[requests.Visiting]) -> tuple[Rights, User]:
    """The room of the request, which the caller may watch, and the caller. Raises what Visitors.admit does."""
    caller, fields = await call.caller(), call.fields
    room_id, ticket = fields.liveRoomId, fields.ticket
    return await call.services.visitors.admit(caller.user, room_id, ticket, call.address), caller.user


def message_object(message: Message) -> Reply:
    return {
        "number": message.number,
        "userId": message.user_id,
        "nickName": message.nick_name,
        "text": message.text,
        "at": int(message.at),
        "deleted": int(message.deleted),
    }
