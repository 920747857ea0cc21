"""GetLiveRoomList, SearchLiveStream, FollowLiveRoom, PlayLiveStream, GetLiveroomNumber: a visitor and others' rooms."""

from __future__ import annotations

from control.access.visitors import LONGEST_TICKET
from control.api import requests
from control.api.envelope import Call, Reply
from control.api.room_objects import as_shown, play_urls, room_objects, urls
from control.guessing.guesses import Secret
from control.lobby.lists import Kind
from control.refusals import BadParameter, Banned, SessionExpired


async def get_live_room_list(call: Call[requests.GetLiveRoomList]) -> Reply:
    caller, fields = await call.caller(), call.fields
    kind = Kind(fields.type)
    count, from_start = fields.count, fields.refresh != 0
    cards = await call.services.lists.page(caller, kind, count, from_start)
    if kind is Kind.ALL:
        return {"type": kind, "list": room_objects(call, caller, cards)}
    online = [card for card in cards if card.is_live]
    offline = [card for card in cards if not card.is_live]
    return {
        "type": kind,
        "onlineList": room_objects(call, caller, online),
        "offlineList": room_objects(call, caller, offline),
    }


async def search_live_stream(call: Call[requests.SearchLiveStream]) -> Reply:
    caller = await call.caller()
    keyword = call.fields.keyword.strip()
    if not 0 < len(keyword) <= requests.LONGEST_KEYWORD:
        raise BadParameter("keyword")
    cards = await call.services.lobby.search(keyword, caller.user)
    found = room_objects(call, caller, cards)
    return found[0] | {"list": found}


async def follow_live_room(call: Call[requests.FollowLiveRoom]) -> Reply:
    caller, fields, follows = await call.caller(), call.fields, call.services.follows
    change = follows.follow if fields.isFollow else follows.unfollow
    await change(caller.user, fields.liveRoomId)
    return {}


async def play_live_stream(call: Call[requests.PlayLiveStream]) -> Reply:
    fields, services = call.fields, call.services
    try:
        caller = await call.caller()
    except SessionExpired:
        return await _as_guest(call)
    wants_in = fields.status
    card = await services.lobby.room(fields.liveroomId, caller.user)
    if not wants_in:
        await services.admission.take_back(card.room_id, caller.user.id)
        return {}
    card = as_shown(call, caller, card)
    if card.need_password:
        shown = fields.liveRoomUserPwd
        if card.is_banned:
            raise Banned
        await services.admission.check_password(Secret.VIEWING, card.room_id, shown, call.address)
    return play_urls(call, caller, card)


async def _as_guest(call: Call[requests.PlayLiveStream]) -> Reply:
    """In a room that is public; elsewhere one has to be logged in."""
    fields, services = call.fields, call.services
    try:
        room = await services.admission.room(fields.liveroomId)
    except BadParameter:
        raise SessionExpired from None
    if room is None or not room.is_public:
        raise SessionExpired
    shown = fields.ticket[: LONGEST_TICKET + 1]
    if not fields.status:
        await services.guests.give_back(room, shown, call.address)
        return {}
    return urls(call, room.room_id, await services.guests.ticket(room, shown, call.address))


async def get_liveroom_number(call: Call[requests.OfWatchedRoom]) -> Reply:
    caller = await call.caller()
    card = await call.services.lobby.room(call.fields.liveroomId, caller.user)
    return {"number": card.players}
