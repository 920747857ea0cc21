"""Many requests at once, on a real file."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable
from dataclasses import replace
from typing import Any

import pytest

from tests.support import pictures
from tests.support.people import crowd, person
from tests.support.world import Box

pytestmark = pytest.mark.anyio

MANY = 20


async def statuses(*asked: Awaitable[dict[str, Any]]) -> Counter[int]:
    return Counter(reply["status"] for reply in await asyncio.gather(*asked))


@pytest.mark.parametrize(
    ("same", "refusal"),
    [({"account": "ann"}, 10102), ({"phone": "13500000001"}, 10103), ({"email": "ann@example.com"}, 10105)],
    ids=["account", "phone", "e-mail"],
)
async def test_of_many_who_register_the_same_one_is_taken(box: Box, same: dict[str, str], refusal: int) -> None:
    forms = [{"account": f"user{n}", "phone": f"135000001{n:02}", "password": "secret-1"} | same for n in range(MANY)]
    answers = await statuses(*(box.api("Register", **form) for form in forms))
    assert answers == {10000: 1, refusal: MANY - 1}


async def test_a_room_created_many_times_at_once_is_one(box: Box) -> None:
    ann = await person(box)
    made = await asyncio.gather(*(ann.does("CreateLiveRoom", liveRoomName=f"room {n}") for n in range(MANY)))
    assert {reply["liveRoomId"] for reply in made} == {1000001}
    name = (await ann.does("GetMyLiveRoom"))["liveRoomName"]
    assert (await ann.does("SearchLiveStream", keyword="room"))["list"][0]["liveRoomName"] == name


async def test_rooms_of_many_created_at_once_have_ids_of_their_own(box: Box) -> None:
    people = await crowd(box, MANY)
    made = await asyncio.gather(*(each.does("CreateLiveRoom", liveRoomName="room") for each in people))
    assert {reply["liveRoomId"] for reply in made} == set(range(1000001, 1000001 + MANY))


async def test_one_who_follows_many_times_at_once_counts_once(box: Box) -> None:
    ann = await person(box)
    room = (await ann.opens())["liveRoomId"]
    for wish in (1, 0):
        await asyncio.gather(*(ann.does("FollowLiveRoom", liveRoomId=room, isFollow=wish) for _ in range(MANY)))
        assert (await ann.finds(room))["followCount"] == wish


async def test_many_who_follow_at_once_count_each(box: Box) -> None:
    people = await crowd(box, MANY)
    room = (await people[0].opens())["liveRoomId"]
    await asyncio.gather(*(each.does("FollowLiveRoom", liveRoomId=room, isFollow=1) for each in people))
    assert (await people[0].finds(room))["followCount"] == MANY


async def test_following_and_not_at_once_ends_in_a_count_that_is_true(box: Box) -> None:
    ann = await person(box)
    room = (await ann.opens())["liveRoomId"]
    await asyncio.gather(*(ann.does("FollowLiveRoom", liveRoomId=room, isFollow=n % 2) for n in range(MANY)))
    seen = await ann.finds(room)
    assert seen["followCount"] == seen["isFollow"]


async def test_a_code_guessed_at_from_many_sides_is_tried_five_times(box: Box) -> None:
    ann = await person(box)
    await ann.does("AuthCode", phone=ann.phone)
    right = box.postbox.messages[-1].secret
    guesses = [f"{(int(right) + n) % 10**6:06d}" for n in range(1, MANY)]
    guess = {"phone": ann.phone, "password": "changed1"}
    assert await statuses(*(box.api("ModifyUserPwd", authCode=code, **guess) for code in guesses)) == {10002: MANY - 1}
    assert (await box.api("ModifyUserPwd", authCode=right, **guess))["status"] == 10002


async def test_messages_asked_for_at_once_are_counted(box: Box) -> None:
    ann = await person(box)
    answers = await statuses(*(box.api("AuthCode", phone=ann.phone) for _ in range(MANY)))
    assert answers == {10000: 5, 10002: MANY - 5}
    assert len(box.postbox.messages) == 5


async def test_passwords_of_a_room_changed_at_once_are_never_equal(box: Box) -> None:
    ann = await person(box)
    await ann.opens(liveRoomAnchorPwd="anchor-1", liveRoomAssistPwd="assist-1", liveRoomUserPwd="viewer-1")
    names = ["liveRoomAnchorPwd", "liveRoomAssistPwd", "liveRoomUserPwd"]
    answers = await statuses(*(ann.says("ModifyMyLiveRoom", **{name: "the-same"}) for name in names))
    assert answers == {10000: 1, 10201: 2}
    mine = await ann.does("GetMyLiveRoom")
    assert len({mine[name] for name in names}) == 3


async def test_pictures_sent_at_once_each_have_an_id_and_the_last_is_there(box: Box) -> None:
    ann = await person(box)
    fields = {"sessionId": ann.session, "headPic": pictures.sent(pictures.encoded("PNG"))}
    # Not by way of `ann`: six wait for their turn, and the clock would move on until that is too long.
    sent = await asyncio.gather(*(box.http.post("/live/ModifyUserHeadPic", json=fields) for _ in range(8)))
    assert len({answer.json()["headPicId"] for answer in sent}) == 8
    current = (await box.api("Login", account="ann", password="secret-1"))["headPicId"]
    answer = await box.http.get("/live/GetUserHeadPic", params={"id": current})
    assert answer.headers["content-type"] == "image/jpeg"


async def test_a_session_that_ends_while_a_page_is_read_is_no_fault_of_ours(box: Box) -> None:
    ann = await person(box)
    for turn in range(10):
        login = await box.api("Login", account="ann", password=f"secret-{turn + 1}")
        now = replace(ann, session=login["sessionId"])
        lists = [now.says("GetLiveRoomList", type=1 + n % 2) for n in range(MANY)]
        change = now.says("ModifyUserPwd", phone=ann.phone, password=f"secret-{turn + 2}")
        assert set(await statuses(*lists[:10], change, *lists[10:])) <= {10000, 10003}


async def test_of_twenty_requests_with_one_code_one_succeeds(box: Box) -> None:
    ann = await person(box)
    await ann.does("AuthCode", phone=ann.phone)
    code = box.postbox.messages[-1].secret
    asked = [
        box.api("ModifyUserPwd", phone=ann.phone, authCode=code, password=f"new password {number}")
        for number in range(20)
    ]
    statuses = [reply["status"] for reply in await asyncio.gather(*asked)]
    assert sorted(statuses) == [10000] + [10002] * 19
    assert await ann.logs_in(f"new password {statuses.index(10000)}") == 10000


async def test_a_name_changed_while_the_room_is_made_is_the_one_that_finds_it(box: Box) -> None:
    for number, owner in enumerate(await crowd(box, 6)):
        both = [
            owner.does("CreateLiveRoom", liveRoomName="a room"),
            owner.does("ModifyUserInfo", nickName=f"Rose {number}"),
        ]
        await asyncio.gather(*(both if number % 2 else reversed(both)))
        room = await owner.does("GetMyLiveRoom")
        assert [each["liveRoomId"] for each in (await owner.finds(f"Rose {number}"))["list"]] == [room["liveRoomId"]]
