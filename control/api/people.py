"""Login, Register, ModifyUserPwd, AuthCode, ModifyUserInfo, ModifyUserHeadPic, GetUserHeadPic, DeleteMyAccount."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from control.accounts import identity
from control.accounts.sessions import Caller
from control.accounts.users import NewUser, Profile
from control.api import requests
from control.api.envelope import Call, Reply, guarded, reply
from control.api.services import Services
from control.api.statuses import Status
from control.refusals import BadParameter
from control.rooms.search_index import anchor_renamed

FOR_EVER = "public, max-age=31536000, immutable"


async def login(call: Call[requests.Login]) -> Reply:
    fields, services = call.fields, call.services
    account, password = fields.account, fields.password
    user, password_hash = await services.users.log_in(account, password, call.origin)
    return {
        "account": user.account,
        "nickName": user.nick_name,
        "liveRoomId": user.room_id,
        "sessionId": await services.sessions.begin(user, password_hash, call.origin),
        "headPicId": user.head_picture_id,
        "sex": user.sex,
    }


async def register(call: Call[requests.Register]) -> Reply:
    fields = call.fields
    email = fields.email
    new = NewUser(
        account=identity.account(fields.account),
        phone=_phone(fields.phone),
        email=identity.email(email) if email else None,
        password=call.services.users.acceptable(fields.password),
    )
    call.services.users.acceptable(new.password, new)
    await call.services.users.register(new, call.origin)
    return {}


async def modify_user_pwd(call: Call[requests.ModifyUserPwd]) -> Reply:
    fields, services, origin = call.fields, call.services, call.origin
    phone, password = _phone(fields.phone), services.users.acceptable(fields.password)
    session_id, code = fields.sessionId, fields.authCode
    user = await services.users.by_phone(phone, origin)
    services.users.acceptable(password, user)
    if session_id:
        caller = await call.caller()
        if caller.user.id != user.id:
            raise BadParameter("sessionId")
        await _prove(call, caller)
        await services.recovery.change(caller, password, origin)
    elif code:
        await services.recovery.change_by_code(user, code, password, origin)
    else:
        await services.recovery.ask_first(user, password, origin)
    return {}


async def auth_code(call: Call[requests.AuthCode]) -> Reply:
    user = await call.services.users.by_phone(_phone(call.fields.phone), call.origin)
    await call.services.recovery.send_code(user, call.origin)
    return {}


async def modify_user_info(call: Call[requests.ModifyUserInfo]) -> Reply:
    caller, fields = await call.caller(), call.fields
    profile = Profile(fields.nickName, fields.sex, fields.address)
    also = anchor_renamed(caller.user.id, profile.nick_name) if profile.nick_name else []
    await call.services.users.modify(caller.user, profile, also)
    return {}


async def modify_user_head_pic(call: Call[requests.ModifyUserHeadPic]) -> Reply:
    caller, picture = await call.caller(), call.fields.headPic
    if not picture:
        raise BadParameter("headPic")
    return {"headPicId": await call.services.pictures.replace(caller.user, picture)}


async def delete_my_account(call: Call[requests.DeleteMyAccount]) -> Reply:
    caller, password = await call.caller(), call.fields.password
    await call.services.deletion.delete(caller, password, call.origin)
    return {}


async def get_user_head_pic(request: Request, services: Services) -> Response:
    """`GET /live/GetUserHeadPic?id=`. A picture's id never means another picture, so it may be kept for ever."""
    return await guarded(request, _head_pic(request, services))


async def _head_pic(request: Request, services: Services) -> Response:
    wanted = request.query_params.get("id", "")
    picture_id = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 10 else 0
    picture = await services.pictures.get(picture_id)
    if picture is None:
        return reply(request.scope["path"], Status.PARAM_ERROR, Status.PARAM_ERROR.text)
    headers = {"ETag": f'"{picture_id}"', "Cache-Control": FOR_EVER, "X-Content-Type-Options": "nosniff"}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return Response(picture.content, media_type=picture.media_type, headers=headers)


async def _prove(call: Call[requests.ModifyUserPwd], caller: Caller) -> None:
    """A session may be somebody else's by now: the old password proves its user, or a login of a moment ago. Raises
    BadParameter, WrongPassword and TooManyGuesses."""
    old = call.fields.oldPassword
    if old:
        await call.services.users.check_password(caller.user, old, call.origin)
    elif not caller.fresh:
        raise BadParameter("oldPassword")


def _phone(typed: str) -> str:
    phone = identity.typed_phone(typed)
    if phone is None:
        raise BadParameter("phone")
    return phone
