"""Who sees which password of a room, and what a change of one ends."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.support.people import Person, argument, go_live, person, watch
from tests.support.world import Box

pytestmark = pytest.mark.anyio

PASSWORDS = ("liveRoomanchorPwd", "liveRoomAnchorPwd", "liveRoomAssistPwd", "liveRoomUserPwd")
CHOSEN = {"liveRoomAnchorPwd": "anchor-1", "liveRoomAssistPwd": "assist-1", "liveRoomUserPwd": "viewer-1"}
WAYS = ["list", "followed list", "search by id", "search by name"]


async def seen(who: Person, way: str, room_id: int) -> dict[str, Any]:
    """The room as somebody sees it."""
    match way:
        case "list":
            [room] = (await who.does("GetLiveRoomList", type=1))["list"]
        case "followed list":
            await who.does("FollowLiveRoom", liveRoomId=room_id, isFollow=1)
            [room] = (await who.does("GetLiveRoomList", type=2))["onlineList"]
        case "search by id":
            room = await who.finds(room_id)
        case _:
            [room] = (await who.does("SearchLiveRoom", keyword="room"))["list"]
    return dict(room)


async def test_issued_passwords_are_long_safe_in_an_address_and_all_different(box: Box) -> None:
    rooms = [await (await person(box)).opens(), await (await person(box, "bob", 2)).opens()]
    issued = {room[name] for room in rooms for name in PASSWORDS[1:]}
    assert len(issued) == 6
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{32}", password) for password in issued)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("chosen", [{}, CHOSEN], ids=["open", "private"])
async def test_the_owner_sees_the_rooms_passwords_everywhere(box: Box, way: str, chosen: dict[str, str]) -> None:
    ann = await person(box)
    mine = await ann.opens(**chosen)
    await go_live(box, mine)
    room = await seen(ann, way, mine["liveRoomId"])
    assert room["liveRoomAnchorPwd"] == room["liveRoomanchorPwd"] == mine["liveRoomAnchorPwd"] != ""
    assert (room["liveRoomUserPwd"], room["needPassword"]) == (mine["liveRoomUserPwd"], 0)
    assert room["playRtmpUrl"] and room["playHlsUrl"]


@pytest.mark.parametrize("way", WAYS)
async def test_others_see_the_viewing_password_of_an_open_room(box: Box, way: str) -> None:
    ann, bob = await person(box), await person(box, "bob", 2)
    mine = await ann.opens()
    await go_live(box, mine)
    room = await seen(bob, way, mine["liveRoomId"])
    assert [room.get(name, "") for name in PASSWORDS] == ["", "", "", mine["liveRoomUserPwd"]]
    assert room["needPassword"] == 0
    assert room["playRtmpUrl"] and room["playHlsUrl"]


@pytest.mark.parametrize("way", WAYS)
async def test_others_see_no_password_of_a_private_room(box: Box, way: str) -> None:
    ann, bob = await person(box), await person(box, "bob", 2)
    mine = await ann.opens(liveRoomUserPwd="viewer-1")
    await go_live(box, mine)
    room = await seen(bob, way, mine["liveRoomId"])
    assert [room.get(name, "") for name in PASSWORDS] == [""] * 4
    assert (room["needPassword"], room["playRtmpUrl"], room["playHlsUrl"]) == (1, "", "")


async def test_no_reply_to_others_holds_a_secret_of_a_private_room(box: Box) -> None:
    ann, bob = await person(box), await person(box, "bob", 2)
    mine = await ann.opens(**CHOSEN)
    await go_live(box, mine)
    replies = [await seen(bob, way, mine["liveRoomId"]) for way in WAYS]
    replies.append(await bob.says("PlayLiveStream", liveroomId=mine["liveRoomId"], status=1))
    assert not any(password in str(replies) for password in CHOSEN.values())


async def test_choosing_another_password_than_the_viewing_one_leaves_a_room_open(box: Box) -> None:
    ann, bob = await person(box), await person(box, "bob", 2)
    mine = await ann.opens(liveRoomAnchorPwd="anchor-1")
    await ann.does("ModifyMyLiveRoom", liveRoomAssistPwd="assist-1")
    assert (await bob.finds(mine["liveRoomId"]))["needPassword"] == 0


async def test_choosing_the_viewing_password_makes_a_room_private(box: Box) -> None:
    ann, bob = await person(box), await person(box, "bob", 2)
    mine = await ann.opens()
    await ann.does("ModifyMyLiveRoom", liveRoomUserPwd="viewer-1")
    room = await bob.finds(mine["liveRoomId"])
    assert (room["needPassword"], room["liveRoomUserPwd"]) == (1, "")


async def test_sending_back_the_issued_viewing_password_leaves_a_room_open(box: Box) -> None:
    ann, bob = await person(box), await person(box, "bob", 2)
    mine = await ann.opens()
    await ann.does("ModifyMyLiveRoom", liveRoomUserPwd=mine["liveRoomUserPwd"], liveRoomName="renamed")
    assert (await bob.finds(mine["liveRoomId"]))["needPassword"] == 0


async def test_a_new_anchor_password_puts_the_publisher_out_and_nobody_else(box: Box) -> None:
    ann = await person(box)
    mine = await ann.opens()
    await go_live(box, mine)
    assert await watch(box, 2, mine["liveRoomId"], f"pwd={mine['liveRoomUserPwd']}") == 204
    await ann.does("ModifyMyLiveRoom", liveRoomAnchorPwd="anchor-2")
    assert box.nginx.dropped == [mine["liveRoomId"]]


async def test_a_new_viewing_password_puts_out_whom_the_old_one_let_in(box: Box) -> None:
    ann, bob = await person(box), await person(box, "bob", 2)
    mine = await ann.opens()
    await go_live(box, mine)
    ticket = argument((await bob.finds(mine["liveRoomId"]))["playRtmpUrl"])
    assert await watch(box, 2, mine["liveRoomId"], f"pwd={mine['liveRoomUserPwd']}") == 204
    assert await watch(box, 3, mine["liveRoomId"], ticket) == 204
    await ann.does("ModifyMyLiveRoom", liveRoomUserPwd="viewer-2")
    assert sorted(box.nginx.dropped) == [2, 3]
    assert await watch(box, 4, mine["liveRoomId"], ticket) == 403


async def test_a_new_viewing_password_leaves_the_owners_preview(box: Box) -> None:
    ann = await person(box)
    mine = await ann.opens()
    await go_live(box, mine)
    assert await watch(box, 2, mine["liveRoomId"], argument(mine["playRtmpUrl"])) == 204
    await ann.does("ModifyMyLiveRoom", liveRoomUserPwd="viewer-2")
    assert box.nginx.dropped == []


async def test_a_new_name_puts_nobody_out(box: Box) -> None:
    ann = await person(box)
    mine = await ann.opens()
    await go_live(box, mine)
    assert await watch(box, 2, mine["liveRoomId"], f"pwd={mine['liveRoomUserPwd']}") == 204
    await ann.does("ModifyMyLiveRoom", liveRoomName="renamed", liveRoomAnchorPwd=mine["liveRoomAnchorPwd"])
    assert box.nginx.dropped == []


async def test_a_refused_change_changes_nothing(box: Box) -> None:
    ann = await person(box)
    before = await ann.opens(**CHOSEN)
    refused = await ann.says("ModifyMyLiveRoom", liveRoomName="renamed", liveRoomAnchorPwd="viewer-1")
    assert refused["status"] == 10201
    after = await ann.does("GetMyLiveRoom")
    assert {name: after[name] for name in (*PASSWORDS, "liveRoomName")} == {
        name: before[name] for name in (*PASSWORDS, "liveRoomName")
    }
