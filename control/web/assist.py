"""The page of a room's assistants. Their password is in a cookie that no script can read, one for each room, with the
id of the user who typed it: `<user>.<password, base64url>`."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode

from starlette.requests import Request
from starlette.responses import Response

from control.access.rights import parse_room_id
from control.api import requests
from control.api.envelope import Call, Reply
from control.api.moderation import moderated
from control.api.room_objects import play_urls
from control.api.services import Services
from control.web.cookies import cookie, cookie_value, named

NAME = "qplus_assist_"  # and the room's id
ROOM = "x-qplus-assist"  # the header in which the page names its room
KEPT = 2592000  # seconds for which a browser keeps the password
LONGEST = 400  # characters of a cookie's value


async def assist_room(call: Call[requests.Moderating]) -> Reply:
    """The room that the caller may assist in, with what lets them into its chat. Raises what `moderated` does."""
    room, _ = await moderated(call)
    caller = await call.caller()
    card = await call.services.lobby.room(room.room_id, caller.user)
    urls = play_urls(call, caller, card)
    return {"liveRoomName": card.about.name, "ticket": urls["playRtmpUrl"].rpartition("ticket=")[2]}


def shown_password(request: Request, services: Services) -> dict[str, str]:
    """The field `liveRoomAssistPwd` for the room that a page names, where the browser has it."""
    room_id = parse_room_id(request.headers.get(ROOM, ""))
    value = cookie_value(f"{NAME}{room_id}", request, services) if room_id else ""
    if not 0 < len(value) <= LONGEST:
        return {}
    try:
        return {"liveRoomAssistPwd": urlsafe_b64decode(value.partition(".")[2]).decode()}
    except ValueError:
        return {}  # nobody's page has set that


def keep_password(
    response: Response, request: Request, services: Services, room_id: int, password: str, user_id: int
) -> None:
    value = f"{user_id}.{urlsafe_b64encode(password.encode()).decode()}"
    response.set_cookie(value=value, max_age=KEPT, **cookie(f"{NAME}{room_id}", request, services))


def forget_passwords(response: Response, request: Request, services: Services, but_of: int = 0) -> None:
    """Of all users but one. Who logs in at a browser may be another than the last, whose login ended by itself."""
    for name in named(NAME, request, services):
        is_ours = parse_room_id(name.removeprefix(NAME))  # others may have been set by another page, with any name
        if is_ours and not cookie_value(name, request, services).startswith(f"{but_of}."):
            response.delete_cookie(**cookie(name, request, services))
