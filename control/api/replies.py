"""What each API answers, as types that msgspec describes. A test holds every answer to them.

Answers are written as plain dicts all the same: a room's is kept, and copied for each who sees it.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_type_hints

from msgspec import Meta, Struct, defstruct

from control.accounts.sessions import NAME
from control.live.samples import LONGEST
from control.live.states import Ending

NOT_NEGATIVE = Meta(ge=0)
Flag = Literal[0, 1]
Count = Annotated[int, NOT_NEGATIVE, Meta(description="How many.", examples=[3])]
Seconds = Annotated[int, NOT_NEGATIVE, Meta(description="Seconds.", examples=[600])]
Time = Annotated[int, NOT_NEGATIVE, Meta(description="Seconds since the epoch.", examples=[1800000000])]
RoomId = Annotated[int, Meta(ge=0, le=2**31 - 1, description="A room's; 0: none.", examples=[1000001])]
UserId = Annotated[int, NOT_NEGATIVE, Meta(description="A user's; 0: not known.", examples=[2])]
NickName = Annotated[str, Meta(description="A user's.", examples=["bob"])]
PictureId = Annotated[int, NOT_NEGATIVE, Meta(description="Of GetUserHeadPic; 0: none.", examples=[7])]
RtmpUrl = Annotated[str, Meta(description="With a ticket.", examples=["rtmp://live.example/live/1000001?ticket=1.2.3"])]
HlsUrl = Annotated[str, Meta(description="Likewise.", examples=["https://live.example/hls/1.2.3/1000001/index.m3u8"])]
MessageNumber = Annotated[int, NOT_NEGATIVE, Meta(description="From 1 up in each room.", examples=[1])]


class Part(Struct, forbid_unknown_fields=True):
    """Of a reply."""


class Reply(Part):
    access: Annotated[str, Meta(description="The path, as called.", examples=["/live/Login"])]
    status: Annotated[int, Meta(description="The answer.")]
    desc: Annotated[str, Meta(description="The status in words.")]


class Done(Reply):
    """With nothing to tell."""


class Refused(Reply):
    """`status` says why, and `desc` may say of which field."""


class LoggedIn(Reply):
    account: Annotated[str, Meta(examples=["ann"])]
    nickName: NickName
    liveRoomId: RoomId
    sessionId: Annotated[str, Meta(min_length=32, max_length=32, description="For others.", examples=[32 * "s"])]
    headPicId: PictureId
    sex: Annotated[Literal[1, 2], Meta(examples=[1])]


class Session(Part):
    loginId: Annotated[str, Meta(pattern=f"^[0-9a-f]{{{NAME}}}$", examples=["0123456789abcdef"])]
    isCurrent: Annotated[Flag, Meta(description="1: the one that asks.", examples=[1])]
    loginTime: Time
    lastTime: Time
    address: Annotated[str, Meta(description="Where from.", examples=["192.0.2.7"])]
    client: Annotated[str, Meta(description="Its User-Agent.", examples=["app/1.0"])]


SessionList = Annotated[list[Session], Meta(max_length=100, description="The one used last first.")]


class Sessions(Reply):
    list: SessionList


class HeadPicture(Reply):
    headPicId: PictureId


class Room(Reply):
    liveRoomId: RoomId


class RoomIds(Reply):
    LiveRoomId: RoomId
    liveRoomId: RoomId


class RoomObject(Part):
    """As the caller may see it."""

    liveRoomId: RoomId
    liveRoomanchorPwd: Annotated[str, Meta(description="The same as `liveRoomAnchorPwd`.", examples=["anchor-1"])]
    liveRoomAnchorPwd: Annotated[str, Meta(description='To push; "" for all but the owner.', examples=["anchor-1"])]
    liveRoomUserPwd: Annotated[str, Meta(description='"" for others in a private room.', examples=["viewer-1"])]
    liveRoomName: Annotated[str, Meta(examples=["Ann's garden"])]
    liveRoomDesc: Annotated[str, Meta(examples=["Green and quiet"])]
    liveRoomTopic: Annotated[str, Meta(examples=["Roses"])]
    anchorName: NickName
    headPicId: PictureId
    isFollow: Annotated[Flag, Meta(description="1: the caller follows it.", examples=[0])]
    followCount: Count
    playerCount: Annotated[int, NOT_NEGATIVE, Meta(description="Viewers now.", examples=[3])]
    isPlay: Annotated[Flag, Meta(description="1: live.", examples=[1])]
    needPassword: Annotated[Flag, Meta(description="1: the caller must know the viewing password.", examples=[0])]
    isOpen: Annotated[Flag, Meta(description="1: the viewing password was issued, and is told.", examples=[1])]
    isPublic: Annotated[Flag, Meta(description="1: one may watch without an account.", examples=[0])]
    playRtmpUrl: RtmpUrl
    playHlsUrl: HlsUrl
    snapshotUrl: Annotated[
        str, Meta(description='"": none.', examples=["https://live.example/snapshot/1000001.jpg?at=9"])
    ]


def _with_room(name: str, about: str, field: str, kind: Any) -> type[Reply]:
    """A room object's fields in the reply itself, and one more. A struct has one base with fields."""
    fields = get_type_hints(RoomObject, include_extras=True) | {field: kind}
    made: type[Any] = defstruct(name, list(fields.items()), bases=(Reply,), namespace={"__doc__": about})
    return made


AssistPassword = Annotated[str, Meta(description="For assistants.", examples=["assist-1"])]
OwnRoom = _with_room("OwnRoom", "With all passwords.", "liveRoomAssistPwd", AssistPassword)
RoomList = Annotated[list[RoomObject], Meta(max_length=100)]
Found = Annotated[list[RoomObject], Meta(min_length=1, max_length=20, description="The best first.")]


class Rooms(Reply):
    """`type` 1."""

    type: Annotated[Literal[1], Meta(examples=[1])]
    list: RoomList


class FollowedRooms(Reply):
    """`type` 2."""

    type: Annotated[Literal[2], Meta(examples=[2])]
    onlineList: RoomList
    offlineList: RoomList


FoundRooms = _with_room("FoundRooms", "The best match, and `list`.", "list", Found)


ENDINGS = tuple(ending.value for ending in Ending)


class Broadcast(Part):
    startTime: Time
    endTime: Annotated[int, NOT_NEGATIVE, Meta(description="Seconds since the epoch; 0: on air.", examples=[0])]
    duration: Seconds
    endReason: Annotated[Literal["", *ENDINGS], Meta(description='"": on air.', examples=[""])]  # type: ignore[valid-type]
    encoder: Annotated[str, Meta(description="What it calls itself.", examples=["OBS"])]
    peakCount: Count
    totalCount: Count
    watchSeconds: Seconds


BroadcastList = Annotated[list[Broadcast], Meta(max_length=100, description="The newest first.")]


class Broadcasts(Reply):
    list: BroadcastList


class Sample(Part):
    time: Time
    playerCount: Count
    bitsPerSecond: Annotated[int, NOT_NEGATIVE, Meta(description="0: not known.", examples=[2500000])]
    framesPerSecond: Annotated[float, NOT_NEGATIVE, Meta(description="0: not known.", examples=[30.0])]


SampleList = Annotated[list[Sample], Meta(max_length=LONGEST, description="The oldest first.")]


class Samples(Reply):
    list: SampleList


class Player(Part):
    playerId: Annotated[str, Meta(description="For KickPlayer.", examples=["hls.2"])]
    userId: UserId
    isGuest: Annotated[Flag, Meta(description="1: has no account.", examples=[0])]
    nickName: NickName
    headPicId: PictureId
    protocol: Annotated[Literal["rtmp", "hls"], Meta(examples=["hls"])]
    seconds: Seconds


class PutOut(Reply):
    concerned: Annotated[int, NOT_NEGATIVE, Meta(description="Who watched.", examples=[1])]
    gone: Annotated[int, NOT_NEGATIVE, Meta(description="Those seen to go within 3 s.", examples=[1])]


class Kept(Part):
    """Whom a room's owner keeps out, or silent, and for how long."""

    userId: UserId
    nickName: NickName
    seconds: Seconds


PlayerList = Annotated[list[Player], Meta(max_length=1000, description="The longest here first.")]
KeptList = Annotated[list[Kept], Meta(max_length=1000)]


class Players(Reply):
    number: Count
    list: PlayerList
    bannedList: KeptList


class Sent(Reply):
    number: MessageNumber
    at: Time


class Message(Part):
    number: MessageNumber
    userId: UserId
    nickName: NickName
    text: Annotated[str, Meta(description='"" where it was deleted.', examples=["hello"])]
    at: Time
    deleted: Annotated[Flag, Meta(examples=[0])]


MessageList = Annotated[list[Message], Meta(max_length=100, description="The oldest first.")]
SlowSeconds = Annotated[int, NOT_NEGATIVE, Meta(description="Between two messages of one user.", examples=[10])]
Words = Annotated[list[str], Meta(max_length=100, examples=[["spam"]])]


class Messages(Reply):
    lastNumber: Annotated[int, NOT_NEGATIVE, Meta(description="Of all that there were.", examples=[1])]
    slowSeconds: SlowSeconds
    list: MessageList


class ChatRules(Reply):
    slowSeconds: SlowSeconds
    mutedWords: Words
    mutedList: KeptList


class Urls(Reply):
    """Where `status` was 1."""

    playRtmpUrl: RtmpUrl
    playHlsUrl: HlsUrl


class Number(Reply):
    number: Count
