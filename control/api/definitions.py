"""Every API in one table: what is done, what it is asked and answers, and how it may be refused.

Requests are read by it, and `openapi` describes it.
"""

from __future__ import annotations

from control.api import (
    chats,
    logins,
    moderation,
    own_rooms,
    people,
    program_definitions,
    replies,
    requests,
    visits,
)
from control.api.chapters import ACCOUNTS, CHAT, OTHERS, OWN_ROOM, WATCHERS, Definition
from control.api.envelope import Api
from control.api.statuses import Status

S = Status
ROOM_FIELDS = (S.REPEAT_PASSWORD_LIVEROOM, S.INVALID_LIVEROOM_NAME, S.INVALID_PASSWORD_LIVEROOM)
OF_ROOM = (S.EXPIRED_SESSION, S.LIVEROOM_ID_NOT_EXIST, S.INVALID_PASSWORD_LIVEROOM)


DEFINITIONS: dict[str, Definition] = {
    "Login": Definition(
        ACCOUNTS,
        Api(people.login, requests.Login),
        "Begins a session, which ends after an hour without use, and after thirty days.",
        (replies.LoggedIn,),
        (S.ACCOUNT_NOT_EXISTS, S.LOGIN_PASSWORD),
    ),
    "Register": Definition(
        ACCOUNTS,
        Api(people.register, requests.Register),
        "Makes an account. Logs nobody in.",
        (replies.Done,),
        (S.ACCOUNT_EXISTS, S.PHONE_EXISTS, S.EMAIL_EXISTS),
    ),
    "ModifyUserPwd": Definition(
        ACCOUNTS,
        Api(people.modify_user_pwd, requests.ModifyUserPwd),
        "Changes the password at once where there is a proof, and else once the phone's holder has confirmed it.",
        (replies.Done,),
        (S.EXPIRED_SESSION, S.LOGIN_PASSWORD, S.PHONE_NOT_EXISTS),
    ),
    "AuthCode": Definition(
        ACCOUNTS,
        Api(people.auth_code, requests.AuthCode),
        "Sends six digits to the phone's holder.",
        (replies.Done,),
        (S.PHONE_NOT_EXISTS,),
    ),
    "LogOut": Definition(
        ACCOUNTS,
        Api(logins.log_out, requests.LogOut),
        "Ends this session, or every one of the user.",
        (replies.Done,),
        (S.EXPIRED_SESSION,),
    ),
    "GetMySessions": Definition(
        ACCOUNTS,
        Api(logins.get_my_sessions, requests.LoggedIn),
        "Where the user is logged in.",
        (replies.Sessions,),
        (S.EXPIRED_SESSION,),
    ),
    "EndSession": Definition(
        ACCOUNTS,
        Api(logins.end_session, requests.EndSession),
        "Ends one of the user's sessions.",
        (replies.Done,),
        (S.EXPIRED_SESSION,),
    ),
    "ModifyUserInfo": Definition(
        ACCOUNTS,
        Api(people.modify_user_info, requests.ModifyUserInfo),
        "Changes the user's own data.",
        (replies.Done,),
        (S.EXPIRED_SESSION,),
    ),
    "ModifyUserHeadPic": Definition(
        ACCOUNTS,
        Api(people.modify_user_head_pic, requests.ModifyUserHeadPic),
        "Takes a new head picture, up to 8 MiB of JSON.",
        (replies.HeadPicture,),
        (S.EXPIRED_SESSION, S.DECODE_HEAD_PIC),
    ),
    "DeleteMyAccount": Definition(
        ACCOUNTS,
        Api(people.delete_my_account, requests.DeleteMyAccount),
        "Deletes the account and its room, for good.",
        (replies.Done,),
        (S.EXPIRED_SESSION, S.LOGIN_PASSWORD),
    ),
    "GetMyLiveRoomId": Definition(
        OWN_ROOM,
        Api(own_rooms.get_my_live_room_id, requests.LoggedIn),
        "The id of the user's room; 0 for none.",
        (replies.RoomIds,),
        (S.EXPIRED_SESSION,),
    ),
    "GetMyLiveRoom": Definition(
        OWN_ROOM,
        Api(own_rooms.get_my_live_room, requests.LoggedIn),
        "The user's room with all passwords.",
        (replies.OwnRoom,),
        (S.EXPIRED_SESSION, S.LIVEROOM_NOT_EXISTS),
    ),
    "CreateLiveRoom": Definition(
        OWN_ROOM,
        Api(own_rooms.create_live_room, requests.CreateLiveRoom),
        "Makes the user's room. Who has one gets its id, and nothing changes.",
        (replies.Room,),
        (S.EXPIRED_SESSION, *ROOM_FIELDS),
    ),
    "ModifyMyLiveRoom": Definition(
        OWN_ROOM,
        Api(own_rooms.modify_my_live_room, requests.ModifyMyLiveRoom),
        "Changes the room. A changed password puts out at once whomever the old one let in.",
        (replies.Done,),
        (S.EXPIRED_SESSION, S.LIVEROOM_ID_NOT_EXIST, S.LIVEROOM_NOT_EXISTS, *ROOM_FIELDS),
    ),
    "PushLiveStream": Definition(
        OWN_ROOM,
        Api(own_rooms.push_live_stream, requests.PushLiveStream),
        "Opens the room's gate, or ends the stream.",
        (replies.Done,),
        (S.EXPIRED_SESSION, S.LIVEROOM_ID_NOT_EXIST, S.LIVEROOM_NOT_EXISTS),
    ),
    "GetMyLiveSessions": Definition(
        OWN_ROOM,
        Api(own_rooms.get_my_live_sessions, requests.GetMyLiveSessions),
        "The room's broadcasts.",
        (replies.Broadcasts,),
        (S.EXPIRED_SESSION, S.LIVEROOM_NOT_EXISTS),
    ),
    "GetMyLiveSamples": Definition(
        OWN_ROOM,
        Api(own_rooms.get_my_live_samples, requests.GetMyLiveSamples),
        "How a broadcast went, in figures.",
        (replies.Samples,),
        (S.EXPIRED_SESSION, S.LIVEROOM_NOT_EXISTS),
    ),
    "GetRoomPlayers": Definition(
        WATCHERS,
        Api(moderation.get_room_players, requests.GetRoomPlayers),
        "Who watches, and who is banned.",
        (replies.Players,),
        OF_ROOM,
    ),
    "KickPlayer": Definition(
        WATCHERS,
        Api(moderation.kick_player, requests.KickPlayer),
        "Ends what a viewer watches.",
        (replies.PutOut,),
        OF_ROOM,
    ),
    "BanUser": Definition(
        WATCHERS,
        Api(moderation.ban_user, requests.BanUser),
        "Keeps a user out for a time, or no more.",
        (replies.PutOut,),
        (*OF_ROOM, S.ACCOUNT_NOT_EXISTS),
    ),
    "SendRoomMessage": Definition(
        CHAT,
        Api(chats.send_room_message, requests.SendRoomMessage),
        "Says something in a room's chat.",
        (replies.Sent,),
        OF_ROOM,
    ),
    "GetRoomMessages": Definition(
        CHAT,
        Api(chats.get_room_messages, requests.GetRoomMessages),
        "What was said, or what came after a message.",
        (replies.Messages,),
        OF_ROOM,
    ),
    "DeleteRoomMessage": Definition(
        CHAT,
        Api(chats.delete_room_message, requests.DeleteRoomMessage),
        "Takes a message's text away.",
        (replies.Done,),
        OF_ROOM,
    ),
    "MuteUser": Definition(
        CHAT,
        Api(chats.mute_user, requests.MuteUser),
        "Has a user read and not write, for a time, or no more.",
        (replies.Done,),
        (*OF_ROOM, S.ACCOUNT_NOT_EXISTS),
    ),
    "SetChat": Definition(
        CHAT,
        Api(chats.set_chat, requests.SetChat),
        "Sets the chat's rules. Answers with all of them as they are now.",
        (replies.ChatRules,),
        OF_ROOM,
    ),
    "GetLiveRoomList": Definition(
        OTHERS,
        Api(visits.get_live_room_list, requests.GetLiveRoomList),
        "A page of rooms. Past the end the lists are empty.",
        (replies.Rooms, replies.FollowedRooms),
        (S.EXPIRED_SESSION,),
    ),
    "SearchLiveStream": Definition(
        OTHERS,
        Api(visits.search_live_stream, requests.SearchLiveStream),
        "Finds rooms.",
        (replies.FoundRooms,),
        (S.EXPIRED_SESSION, S.LIVEROOM_ID_NOT_EXIST),
    ),
    "SearchLiveRoom": Definition(
        OTHERS,
        Api(visits.search_live_stream, requests.SearchLiveStream),
        "SearchLiveStream under its other name.",
        (replies.FoundRooms,),
        (S.EXPIRED_SESSION, S.LIVEROOM_ID_NOT_EXIST),
    ),
    "FollowLiveRoom": Definition(
        OTHERS,
        Api(visits.follow_live_room, requests.FollowLiveRoom),
        "Follows a room, or no more.",
        (replies.Done,),
        (S.EXPIRED_SESSION, S.LIVEROOM_ID_NOT_EXIST),
    ),
    "PlayLiveStream": Definition(
        OTHERS,
        Api(visits.play_live_stream, requests.PlayLiveStream),
        "Gives play URLs with a ticket, or takes the ticket back and ends what it let in.",
        (replies.Urls, replies.Done),
        OF_ROOM,
    ),
    "GetLiveroomNumber": Definition(
        OTHERS,
        Api(visits.get_liveroom_number, requests.OfWatchedRoom),
        "How many watch.",
        (replies.Number,),
        (S.EXPIRED_SESSION, S.LIVEROOM_ID_NOT_EXIST),
    ),
} | program_definitions.DEFINITIONS
