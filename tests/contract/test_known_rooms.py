"""What one changes of a room is what everybody is told from then on."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.people import Person

pytestmark = pytest.mark.anyio


async def test_a_change_is_seen_by_all_who_have_looked_before(ann: Person, bob: Person, room: dict[str, Any]) -> None:
    async def seen() -> dict[str, Any]:
        answer = await bob.does("GetLiveRoomList", type=1, refresh=1)
        [shown] = answer["list"]
        return dict(shown)

    before = await seen()
    await ann.does("ModifyUserInfo", nickName="Anna")
    assert (await seen())["anchorName"] == "Anna" != before["anchorName"]
    await bob.does("FollowLiveRoom", liveRoomId=room["liveRoomId"], isFollow=1)
    assert ((await seen())["isFollow"], (await seen())["followCount"]) == (1, 1)
    change = {"liveRoomName": "Another", "liveRoomTopic": "Else", "isOpen": 1}
    await ann.does("ModifyMyLiveRoom", liveRoomId=room["liveRoomId"], **change)
    now = await seen()
    assert (now["liveRoomName"], now["liveRoomTopic"], now["isOpen"]) == ("Another", "Else", 1)
    assert now["playHlsUrl"] and now["liveRoomUserPwd"] == room["liveRoomUserPwd"]
    await ann.does("ModifyMyLiveRoom", liveRoomId=room["liveRoomId"], isOpen=0, liveRoomUserPwd="for-friends")
    assert ((await seen())["playHlsUrl"], (await seen())["liveRoomUserPwd"]) == ("", "")


async def test_what_the_owner_alone_may_see_is_told_to_nobody_else(
    ann: Person, bob: Person, room: dict[str, Any]
) -> None:
    for person, sees in ((ann, True), (bob, False), (ann, True), (bob, False)):
        [shown] = (await person.does("GetLiveRoomList", type=1, refresh=1))["list"]
        assert bool(shown["liveRoomAnchorPwd"] and shown["liveRoomanchorPwd"]) is sees
