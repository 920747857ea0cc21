"""A room's page for its assistants, whose browser keeps their password."""

from __future__ import annotations

from typing import Any

import pytest

from control.web.assist import NAME, ROOM
from tests.support.people import Person
from tests.support.world import Box

pytestmark = pytest.mark.anyio

OWN = {"X-QPlus-Page": "1"}


async def ask(box: Box, api: str, room: int = 0, **fields: Any) -> dict[str, Any]:
    headers = OWN | ({ROOM: str(room)} if room else {})
    reply: dict[str, Any] = (await box.http.post(f"/web/{api}", json=fields, headers=headers)).json()
    return reply


def kept(box: Box) -> list[str]:
    return [cookie.name for cookie in box.http.cookies.jar if cookie.name.startswith(NAME)]


@pytest.fixture
async def assistant(box: Box, bob: Person) -> Person:
    """Logged in at a page."""
    await box.http.post("/web/Login", json={"account": bob.account, "password": "secret-1"}, headers=OWN)
    return bob


async def test_an_assistant_is_let_in_by_their_password_from_then_on(
    box: Box, assistant: Person, room: dict[str, Any]
) -> None:
    room_id, password = room["liveRoomId"], room["liveRoomAssistPwd"]
    assert (await ask(box, "AssistRoom", room_id, liveRoomId=room_id))["status"] == 10200
    entered = await ask(box, "AssistRoom", liveRoomId=room_id, liveRoomAssistPwd=password)
    assert (entered["status"], entered["liveRoomName"], bool(entered["ticket"])) == (10000, "a room", True)
    assert (await ask(box, "GetRoomPlayers", room_id, liveRoomId=room_id))["status"] == 10000
    assert (await ask(box, "AssistRoom", room_id, liveRoomId=room_id))["status"] == 10000
    assert (await ask(box, "GetRoomPlayers", liveRoomId=room_id))["status"] == 10200


async def test_a_wrong_password_is_not_kept(box: Box, assistant: Person, room: dict[str, Any]) -> None:
    refused = await ask(box, "AssistRoom", liveRoomId=room["liveRoomId"], liveRoomAssistPwd="not-this-one")
    assert refused["status"] == 10204 and kept(box) == []


async def test_a_changed_password_lets_nobody_in_who_kept_the_old_one(
    box: Box, ann: Person, assistant: Person, room: dict[str, Any]
) -> None:
    room_id = room["liveRoomId"]
    await ask(box, "AssistRoom", liveRoomId=room_id, liveRoomAssistPwd=room["liveRoomAssistPwd"])
    await ann.does("ModifyMyLiveRoom", liveRoomAssistPwd="another-one")
    assert (await ask(box, "GetRoomPlayers", room_id, liveRoomId=room_id))["status"] == 10204


async def test_the_password_of_one_room_is_none_of_another(
    box: Box, ann: Person, assistant: Person, room: dict[str, Any]
) -> None:
    await ask(box, "AssistRoom", liveRoomId=room["liveRoomId"], liveRoomAssistPwd=room["liveRoomAssistPwd"])
    other = await Person(box, "eve", "", await box.session("eve", "13500000003")).opens("another room")
    for named in (room["liveRoomId"], other["liveRoomId"]):
        assert (await ask(box, "GetRoomPlayers", named, liveRoomId=other["liveRoomId"]))["status"] in (10200, 10204)


async def test_no_script_can_read_it_and_a_logout_forgets_it(box: Box, assistant: Person, room: dict[str, Any]) -> None:
    body = {"liveRoomId": room["liveRoomId"], "liveRoomAssistPwd": room["liveRoomAssistPwd"]}
    answer = await box.http.post("/web/AssistRoom", json=body, headers=OWN)
    flags = answer.headers["set-cookie"].lower().split("; ")
    assert {"httponly", "samesite=strict", "path=/"} <= set(flags)
    assert room["liveRoomAssistPwd"] not in answer.text and kept(box) == [f"{NAME}{room['liveRoomId']}"]
    await ask(box, "LogOut")
    assert kept(box) == []


async def test_who_logs_in_next_has_no_password_of_the_last(box: Box, assistant: Person, room: dict[str, Any]) -> None:
    room_id = room["liveRoomId"]
    await ask(box, "AssistRoom", liveRoomId=room_id, liveRoomAssistPwd=room["liveRoomAssistPwd"])
    box.clock.advance(3601)  # the login ends by itself
    await ask(box, "Login", account=assistant.account, password="secret-1")
    assert (await ask(box, "GetRoomPlayers", room_id, liveRoomId=room_id))["status"] == 10000
    await box.session("eve", "13500000003")
    await ask(box, "Login", account="eve", password="secret-1")
    assert kept(box) == []
    assert (await ask(box, "GetRoomPlayers", room_id, liveRoomId=room_id))["status"] == 10200


@pytest.mark.parametrize("value", ["1.%", "1.=", "1.A", "1.gICA", "%", "=", "A", "gICA", "A" * 1000])
async def test_a_cookie_of_another_make_is_no_password(
    box: Box, assistant: Person, room: dict[str, Any], value: str
) -> None:
    room_id = room["liveRoomId"]
    box.http.cookies.set(f"{NAME}{room_id}", value)
    assert (await ask(box, "GetRoomPlayers", room_id, liveRoomId=room_id))["status"] in (10200, 10204, 10002)


async def test_cookies_that_others_have_set_keep_nobody_from_logging_in(box: Box, ann: Person) -> None:
    headers = OWN | {"Cookie": f"{NAME}(=1; {NAME}[]=2; {NAME}=3"}
    for path, fields in (("Login", {"account": ann.account, "password": "secret-1"}), ("LogOut", {})):
        answer = await box.http.post(f"/web/{path}", json=fields, headers=headers)
        assert answer.status_code == 200 and NAME not in answer.headers["set-cookie"]


async def test_the_owner_assists_without_a_password(box: Box, ann: Person, room: dict[str, Any]) -> None:
    await box.http.post("/web/Login", json={"account": ann.account, "password": "secret-1"}, headers=OWN)
    assert (await ask(box, "AssistRoom", liveRoomId=room["liveRoomId"]))["status"] == 10000
    assert kept(box) == []
