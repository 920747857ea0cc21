"""GetMyLiveRoomId, GetMyLiveRoom, CreateLiveRoom, ModifyMyLiveRoom, PushLiveStream, GetMyLiveSessions,
GetMyLiveSamples: an owner and their room."""

from __future__ import annotations

from control.api import requests
from control.api.envelope import Call, Reply
from control.api.room_objects import room_object
from control.live.broadcast_store import BroadcastRecord
from control.live.samples import Sample
from control.refusals import BadParameter, NoRoom
from control.rooms.rooms import RoomForm, owned


async def get_my_live_room_id(call: Call[requests.LoggedIn]) -> Reply:
    room_id = (await call.caller()).user.room_id
    return {"LiveRoomId": room_id, "liveRoomId": room_id}


async def get_my_live_room(call: Call[requests.LoggedIn]) -> Reply:
    caller = await call.caller()
    if not caller.user.room_id:
        raise NoRoom
    card = await call.services.lobby.room(caller.user.room_id, caller.user)
    return room_object(call, caller, card) | {"liveRoomAssistPwd": card.assist_password}


async def create_live_room(call: Call[requests.CreateLiveRoom]) -> Reply:
    caller = await call.caller()
    return {"liveRoomId": await call.services.rooms.create(caller.user, _form(call.fields))}


async def modify_my_live_room(call: Call[requests.ModifyMyLiveRoom]) -> Reply:
    caller, fields = await call.caller(), call.fields
    await call.services.rooms.modify(caller.user, fields.liveRoomId, _form(fields))
    return {}


async def push_live_stream(call: Call[requests.PushLiveStream]) -> Reply:
    """A stop shuts the gate only on a publisher that stays: the shipped app stops its encoder, then says so here, and
    pushes again before it says that."""
    caller, fields, services = await call.caller(), call.fields, call.services
    opens = fields.status == 1
    seconds = fields.timeout
    room_id = owned(caller.user, fields.liveRoomId)
    async with services.gate.turn(room_id):
        if opens:
            await services.gate.open(caller.user, room_id)
        elif not await services.moderation.leaves_by_itself(room_id):
            await services.gate.shut(caller.user, room_id, seconds)
    return {}


async def get_my_live_sessions(call: Call[requests.GetMyLiveSessions]) -> Reply:
    caller, fields = await call.caller(), call.fields
    if not caller.user.room_id:
        raise NoRoom
    count, before = fields.count, fields.before
    if before < 0:
        raise BadParameter("before")
    records = await call.services.broadcast_store.of_room(caller.user.room_id, float(before), count)
    return {"list": [_live_session(record) for record in records]}


async def get_my_live_samples(call: Call[requests.GetMyLiveSamples]) -> Reply:
    """Of the broadcast that began at `startTime`, or of the last minutes of this one."""
    caller, fields, samples = await call.caller(), call.fields, call.services.samples
    if not (room_id := caller.user.room_id):
        raise NoRoom
    start = fields.startTime
    if start < 0:
        raise BadParameter("startTime")
    found = await (samples.of_broadcast(room_id, start) if start else samples.last(room_id))
    return {"list": [_sample(each) for each in found]}


def _sample(sample: Sample) -> Reply:
    return {
        "time": sample.at,
        "playerCount": sample.viewers,
        "bitsPerSecond": sample.bits_per_second,
        "framesPerSecond": sample.frames_per_second,
    }


def _live_session(record: BroadcastRecord) -> Reply:
    return {
        "startTime": int(record.started_at),
        "endTime": int(record.ended_at or 0),
        "duration": round((record.ended_at or record.seen_at) - record.started_at),
        "endReason": record.ending or "",
        "encoder": record.encoder,
        "peakCount": record.peak_viewers,
        "totalCount": record.total_viewers,
        "watchSeconds": round(record.watch_seconds),
    }


def _form(fields: requests.RoomFields) -> RoomForm:
    return RoomForm(
        anchor_password=fields.liveRoomAnchorPwd,
        assist_password=fields.liveRoomAssistPwd,
        user_password=fields.liveRoomUserPwd,
        name=fields.liveRoomName,
        description=fields.liveRoomDesc,
        topic=fields.liveRoomTopic,
        is_open=fields.isOpen,
        is_public=fields.isPublic,
    )
