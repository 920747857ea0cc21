"""What each API is asked: a class for each, whose attributes are the fields as the contract spells them."""

from __future__ import annotations

from typing import Any

from control.access import bans, room_passwords
from control.access.visitors import LONGEST_TICKET
from control.accounts import choices, identity
from control.accounts.sessions import NAME
from control.accounts.users import ADDRESS, NICK_NAME, SEXES
from control.api.parameters import (
    AskedText,
    Choice,
    Count,
    Flag,
    Given,
    Keyword,
    NeededNumber,
    NeededRawText,
    NeededText,
    Number,
    OptionalNumber,
    OptionalText,
    RawText,
    Session,
    SpelledText,
    Text,
    Texts,
)
from control.chat import rules
from control.chat.chat import LONGEST_MUTE, MUTE
from control.lobby.lists import Kind
from control.rooms import gate
from control.rooms.rooms import DESCRIPTION, TOPIC
from control.rooms.rooms import NAME as ROOM_NAME
from control.storage.room_events import OF_VIEWERS, EventKind
from control.webhooks import destinations

LONGEST_KEYWORD = 256  # characters
BROADCASTS, MOST_BROADCASTS = 20, 100
VIEWERS, MOST_VIEWERS = 100, 1000
MESSAGES, MOST_MESSAGES = 50, 100
ROOMS, MOST_ROOMS = 5, 100
DELIVERIES, MOST_DELIVERIES = 20, 100
EVENTS, MOST_EVENTS = 100, 1000
PUSH_KEY = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"  # RFC 8291, 5
EVENT_NAMES: Any = {"most": len(EventKind), "longest": max(len(kind) for kind in EventKind)}
ROOM = 1000001  # the first there is
LAST_ROOM = 2**31 - 1
PASSWORD = f"^({room_passwords.SAFE.pattern})?$"  # of a room; "" is none
PHONE = r"^(1[0-9]{10}|\+[1-9][0-9]{7,14})$"  # spaces and hyphens are taken too


class LoggedIn(Given):
    sessionId = Session()


class Login(Given):
    account = NeededText("The account, phone or e-mail address.", "ann", most=identity.LONGEST)
    password = NeededText("The account's.", "change-me", most=choices.LONGEST)


class Register(Given):
    account = NeededText(
        "Letters of any script, digits, `_ . -`, and no phone number. Unique without regard to case.",
        "ann",
        least=2,
        most=identity.LONGEST_ACCOUNT,
    )
    phone = NeededText("11 digits from 1 on (taken as +86), or E.164.", "13500000001", pattern=PHONE)
    email = Text("An address, or none.", "ann@example.com", most=identity.LONGEST)
    password = NeededText(
        "None of the ten thousand most common, nor the account, phone or e-mail address.",
        "change-me",
        least=choices.SHORTEST,
        most=choices.LONGEST,
    )


class ModifyUserPwd(Given):
    phone = NeededText("Of the account.", "13500000001", pattern=PHONE)
    password = NeededText("The new one.", "changed-it", least=choices.SHORTEST, most=choices.LONGEST)
    sessionId = Session("One proof: a session of that user, with `oldPassword`.", needed=False)
    oldPassword = Text("May be left out within 10 minutes of the login.", "change-me", most=choices.LONGEST)
    authCode = Text("Another proof: six digits of AuthCode.", "123456", most=choices.LONGEST)


class AuthCode(Given):
    phone = NeededText("Of the account.", "13500000001", pattern=PHONE)


class LogOut(LoggedIn):
    everywhere = Flag("1 ends every session of the user, and else this one.", 0)


class EndSession(LoggedIn):
    loginId = NeededText("Of GetMySessions.", "0123456789abcdef", pattern=f"^[0-9a-f]{{{NAME}}}$")


class DeleteMyAccount(LoggedIn):
    password = NeededText("The account's.", "change-me", most=choices.LONGEST)


class ModifyUserInfo(LoggedIn):
    """All three left as they are is refused."""

    nickName = Text('"" leaves it as it is.', "Ann of the rivers", most=NICK_NAME)
    sex = Number("1 or 2; 0 leaves it as it is.", 2, default=0, most=max(SEXES))
    address = Text('"" leaves it as it is.', "The north", most=ADDRESS)


class ModifyUserHeadPic(LoggedIn):
    headPic = NeededRawText(
        "Base64 of a JPEG, PNG, WebP or GIF up to 4 MiB, with or without a `data:` prefix.", "R0lGODlhAQABAAAAACw="
    )


class RoomFields(LoggedIn):
    liveRoomAnchorPwd = SpelledText(
        "To push with.", "anchor-1", also="liveRoomanchorPwd", pattern=PASSWORD
    )  # the seed's spelling, which shipped apps send
    liveRoomAssistPwd = RawText("For assistants.", "assist-1", pattern=PASSWORD)
    liveRoomUserPwd = RawText("To watch with. One chosen here makes the room private.", "viewer-1", pattern=PASSWORD)
    liveRoomName = RawText("Without control characters.", "Ann's garden", most=ROOM_NAME)
    liveRoomDesc = OptionalText("Left out: as it is.", "Green and quiet", most=DESCRIPTION)
    liveRoomTopic = OptionalText("Left out: as it is.", "Roses", most=TOPIC)
    isOpen = Flag("1 makes the room open, with a viewing password issued anew; 0 private.", 0)
    isPublic = Flag("1: everybody may watch, without an account too. Not in a private room.", 0)


class CreateLiveRoom(RoomFields):
    """A password left empty is issued."""

    liveRoomName = NeededRawText("Without control characters.", "Ann's garden", most=ROOM_NAME)
    isOpen = Flag("Of no effect here.", 0)


class ModifyMyLiveRoom(RoomFields):
    """ "" leaves a name or a password as it is."""

    liveRoomId = Number("0: mine.", ROOM, default=0, most=LAST_ROOM)


class OfRoom(LoggedIn):
    liveRoomId = NeededNumber("The room's.", ROOM, most=LAST_ROOM, also="liveroomId")


class OfWatchedRoom(LoggedIn):
    """As the clients' later APIs spell it."""

    liveroomId = NeededNumber("The room's.", ROOM, most=LAST_ROOM, also="liveRoomId")


class PushLiveStream(LoggedIn):
    liveRoomId = NeededNumber("Mine.", ROOM, most=LAST_ROOM)
    status = Choice("1 opens the gate; 0 ends the stream and shuts the gate.", 0, 1)
    timeout = Number(
        f"Seconds for which it stays shut; 0 is {gate.DEFAULT}. Taken as the nearest of {gate.LOW} to {gate.HIGH}.",
        gate.DEFAULT,
        default=0,
        most=gate.HIGH,
    )


class GetMyLiveSessions(LoggedIn):
    count = Count(BROADCASTS, MOST_BROADCASTS)
    before = Number("Seconds since the epoch; 0: now.", 0, default=0)


class GetMyLiveSamples(LoggedIn):
    startTime = Number("Of one of the room's broadcasts; 0: the last ten minutes.", 0, default=0)


class Moderating(OfRoom):
    liveRoomAssistPwd = Text("Needed from all but the owner.", "assist-1", most=64)


class GetRoomPlayers(Moderating):
    count = Count(VIEWERS, MOST_VIEWERS)


class KickPlayer(Moderating):
    playerId = NeededText("Of GetRoomPlayers.", "hls.2")


class BanUser(Moderating):
    userId = NeededNumber("Whom.", 2)
    status = Choice("1 bans, 0 lifts a ban.", 0, 1)
    timeout = Number("Seconds.", bans.DEFAULT, default=bans.DEFAULT, least=bans.LOW, most=bans.HIGH)


class Visiting(OfRoom):
    ticket = Text(
        "Needed in a private room: what stands behind `ticket=` in PlayLiveStream's `playRtmpUrl`.",
        "1.2.3",
        most=LONGEST_TICKET,
    )


class SendRoomMessage(Visiting):
    text = NeededText("In one line; blanks around it are taken off.", "hello", most=rules.LONGEST)


class GetRoomMessages(Visiting):
    after = OptionalNumber("A message's number; left out: the newest.", 0)
    count = Count(MESSAGES, MOST_MESSAGES)


class DeleteRoomMessage(Moderating):
    number = NeededNumber("The message's.", 1)


class MuteUser(Moderating):
    userId = NeededNumber("Whom.", 2)
    status = Choice("1 mutes, 0 lifts that.", 0, 1)
    timeout = Number("Seconds.", MUTE, default=MUTE, least=1, most=LONGEST_MUTE)


class SetChat(Moderating):
    """What is left out stays."""

    slowSeconds = OptionalNumber("Between two messages of one user.", 10, most=rules.SLOWEST)
    mutedWords = Texts(
        "Found in a message whatever their case and width.",
        ["spam"],
        most=rules.MOST_WORDS,
        longest=rules.LONGEST_WORD,
    )


class AddWebhook(LoggedIn):
    url = NeededText("Where events are posted to.", "https://app.example/hooks", most=destinations.LONGEST)
    events = Texts(f"Which; left out: all but `{'`, `'.join(sorted(OF_VIEWERS))}`.", ["room.live"], **EVENT_NAMES)


class OfWebhook(LoggedIn):
    webhookId = NeededNumber("Of AddWebhook.", 1)


class EditWebhook(OfWebhook):
    url = Text('"" leaves it as it is.', "https://app.example/hooks", most=destinations.LONGEST)
    events = Texts("Left out: as they are.", ["room.live", "room.ended"], **EVENT_NAMES)
    isPaused = Flag("1: nothing is posted until it is 0 again, and then what happened meanwhile.", 1)


class ReplayWebhook(OfWebhook):
    after = NeededNumber("Events with higher numbers are posted, once more or not at all.", 0)


class GetWebhookDeliveries(OfWebhook):
    count = Count(DELIVERIES, MOST_DELIVERIES)


class GetEvents(LoggedIn):
    after = Number("Those with higher numbers.", 0, default=0)
    count = Count(EVENTS, MOST_EVENTS)


class SetMyNotices(LoggedIn):
    byMessage = Choice("1: by a message, as codes are sent; 0: not so.", 0, 1)


class OfPushSubscription(LoggedIn):
    endpoint = NeededText("Of the browser's PushSubscription.", "https://push.example/a", most=destinations.LONGEST)


class AddPushSubscription(OfPushSubscription):
    p256dh = NeededText("Likewise, in base64url.", PUSH_KEY, most=100)
    auth = NeededText("Likewise.", "BTBZMqHH6r4Tts7J_aSIgg", most=30)


class GetLiveRoomList(LoggedIn):
    type = Choice("1: rooms that are live, newest first; 2: rooms you follow, live ones first.", *map(int, Kind))
    count = Count(ROOMS, MOST_ROOMS)
    refresh = Number("1 starts over; 0 goes on after this session's last page.", 1, default=1, most=1)


class SearchLiveStream(LoggedIn):
    keyword = Keyword(
        "A room's id, or a part of a room's name, topic or anchor's name.", "garden", most=LONGEST_KEYWORD
    )


class FollowLiveRoom(OfRoom):
    isFollow = Choice("1 follows, 0 does no more.", 0, 1)


class PlayLiveStream(Given):
    sessionId = Session("Not needed in a room with `isPublic` 1: a guest gets a ticket too.", needed=False)
    liveroomId = NeededNumber("The room's.", ROOM, most=LAST_ROOM, also="liveRoomId")
    status = Choice("1 asks for a ticket, 0 gives it back.", 0, 1)
    liveRoomUserPwd = AskedText("Needed in a private room.", "viewer-1", most=64)
    ticket = Text("A guest's, which they get again while it is young, or give back.", "1.2.3")
