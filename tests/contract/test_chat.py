"""A room's chat: who reads and writes, what is kept, and who keeps order."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from control.chat.chat_pace import WITHIN
from control.chat.room_chat import KEPT
from tests.contract.test_watching import ticket
from tests.support import world
from tests.support.people import Person, crowd, go_live, go_off, person
from tests.support.world import Box

pytestmark = pytest.mark.anyio
MESSAGES, OF_ROOM = 5, 50  # as settings have it


async def says(who: Person, room: dict[str, Any], text: str, **more: Any) -> dict[str, Any]:
    return await who.says("SendRoomMessage", liveRoomId=room["liveRoomId"], text=text, **more)


async def said(who: Person, room: dict[str, Any], **more: Any) -> list[tuple[int, str]]:
    reply = await who.does("GetRoomMessages", liveRoomId=room["liveRoomId"], **more)
    return [(each["number"], each["text"]) for each in reply["list"]]


async def fill(box: Box, who: Person, room: dict[str, Any], count: int) -> None:
    for start in range(0, count, MESSAGES):
        box.clock.advance(WITHIN + 1)
        lines = [f"line {number}" for number in range(start, min(count, start + MESSAGES))]
        for reply in await asyncio.gather(*(says(who, room, line) for line in lines)):
            assert reply["status"] == 10000


async def test_what_one_writes_the_other_reads(box: Box, ann: Person, bob: Person, room: dict[str, Any]) -> None:
    await says(bob, room, "  hello <b>all</b>  ")
    await says(ann, room, "hello bob")
    reply = await bob.does("GetRoomMessages", liveRoomId=room["liveRoomId"])
    assert [(each["userId"], each["nickName"], each["text"], each["deleted"]) for each in reply["list"]] == [
        (2, "bob", "hello <b>all</b>", 0),
        (1, "ann", "hello bob", 0),
    ]
    assert reply["lastNumber"] == 2


async def test_pages_follow_by_number_and_late_joiners_get_the_newest(
    box: Box, ann: Person, bob: Person, room: dict[str, Any]
) -> None:
    await fill(box, bob, room, 55)
    assert [number for number, _ in await said(ann, room)] == list(range(6, 56))
    assert await said(ann, room, after=0, count=2) == [(1, "line 0"), (2, "line 1")]
    assert await said(ann, room, after=54) == [(55, "line 54")]
    assert await said(ann, room, after=55) == await said(ann, room, after=9999) == []


@pytest.mark.sqlite
async def test_the_newest_are_kept_and_numbers_go_on_over_a_restart(
    box: Box, ann: Person, bob: Person, room: dict[str, Any]
) -> None:
    await fill(box, bob, room, KEPT + 60)
    async with world.box(box.settings, box.nginx, box.clock) as again:
        ann.box = bob.box = again
        kept = [number for after in (0, 160) for number, _ in await said(ann, room, after=after, count=100)]
        assert kept == list(range(61, KEPT + 61))
        assert (await says(bob, room, "still here"))["number"] == KEPT + 61


async def test_a_new_broadcast_begins_with_an_empty_chat(
    box: Box, ann: Person, bob: Person, room: dict[str, Any]
) -> None:
    await says(bob, room, "bye")
    await go_off(box, room)
    assert await said(ann, room) == [(1, "bye")]
    box.clock.advance(60)
    await says(bob, room, "when does it begin?")
    await go_live(box, room)
    assert await said(ann, room) == []
    assert (await says(bob, room, "at last"))["number"] == 3


async def test_a_broadcast_that_goes_on_keeps_its_chat(
    box: Box, ann: Person, bob: Person, room: dict[str, Any]
) -> None:
    await says(bob, room, "a gap")
    await go_off(box, room)
    await go_live(box, room)
    assert await said(ann, room) == [(1, "a gap")]


@pytest.mark.sqlite
async def test_a_broadcast_that_began_while_control_was_down_has_a_new_chat(
    box: Box, ann: Person, bob: Person, room: dict[str, Any]
) -> None:
    await says(bob, room, "bye")
    await go_off(box, room)
    box.clock.advance(700)
    async with world.box(box.settings, box.nginx, box.clock) as again:
        await go_live(again, room)
    async with world.box(box.settings, box.nginx, box.clock) as third:
        ann.box = third
        assert await said(ann, room) == []


async def test_many_who_write_at_once_get_numbers_in_a_row(box: Box, ann: Person, room: dict[str, Any]) -> None:
    people = await crowd(box, 10)
    replies = await asyncio.gather(*(says(each, room, each.account) for each in people))
    assert sorted(reply["number"] for reply in replies) == list(range(1, 11))
    by_number = {reply["number"]: each.account for reply, each in zip(replies, people, strict=True)}
    assert await said(ann, room) == sorted(by_number.items())


async def test_one_user_has_so_many_messages_and_others_have_theirs(
    box: Box, ann: Person, bob: Person, room: dict[str, Any]
) -> None:
    for _ in range(MESSAGES):
        assert (await says(bob, room, "spam"))["status"] == 10000
    refused = await says(bob, room, "spam")
    assert (refused["status"], refused["desc"]) == (10002, "参数错误: 操作过于频繁")
    assert (await says(ann, room, "stop it"))["status"] == 10000
    box.clock.advance(WITHIN + 1)
    assert (await says(bob, room, "sorry"))["status"] == 10000


async def test_one_room_has_so_many_messages_a_second(box: Box, ann: Person, room: dict[str, Any]) -> None:
    people = await crowd(box, OF_ROOM // MESSAGES)
    for each in people:
        for _ in range(MESSAGES):
            assert (await says(each, room, "spam"))["status"] == 10000
    assert (await says(ann, room, "hello?"))["status"] == 10002
    box.clock.advance(2)
    assert (await says(ann, room, "hello?"))["status"] == 10000


async def test_slow_mode_is_for_all_but_the_owner(box: Box, ann: Person, bob: Person, room: dict[str, Any]) -> None:
    await ann.does("SetChat", liveRoomId=room["liveRoomId"], slowSeconds=30)
    assert [(await says(bob, room, "quick"))["status"] for _ in range(2)] == [10000, 10002]
    assert [(await says(ann, room, "quick"))["status"] for _ in range(2)] == [10000, 10000]
    box.clock.advance(31)
    assert (await says(bob, room, "slow"))["status"] == 10000
    assert (await bob.does("GetRoomMessages", liveRoomId=room["liveRoomId"]))["slowSeconds"] == 30


async def test_a_muted_word_is_found_in_any_case_and_width(
    box: Box, ann: Person, bob: Person, room: dict[str, Any]
) -> None:
    await ann.does("SetChat", liveRoomId=room["liveRoomId"], mutedWords=["Spam", "赌博"])
    for text in ("buy SPAM now", "ｓｐａｍ", "来赌博吧"):
        assert (await says(bob, room, text))["desc"] == "参数错误: text"
    assert (await says(bob, room, "sp am"))["status"] == 10000


@pytest.mark.sqlite
async def test_rules_and_mutes_outlive_a_restart(box: Box, ann: Person, bob: Person, room: dict[str, Any]) -> None:
    await ann.does("SetChat", liveRoomId=room["liveRoomId"], slowSeconds=7, mutedWords=["spam"])
    await ann.does("MuteUser", liveRoomId=room["liveRoomId"], userId=2, status=1, timeout=60)
    async with world.box(box.settings, box.nginx, box.clock) as again:
        ann.box = bob.box = again
        told = await ann.does("SetChat", liveRoomId=room["liveRoomId"])
        assert (told["slowSeconds"], told["mutedWords"]) == (7, ["spam"])
        assert told["mutedList"] == [{"userId": 2, "nickName": "bob", "seconds": 60}]
        assert (await says(bob, room, "mmm"))["desc"] == "参数错误: 您已被禁言"
        box.clock.advance(61)
        assert (await says(bob, room, "at last"))["status"] == 10000


@pytest.mark.sqlite
async def test_a_deleted_message_leaves_its_number(box: Box, ann: Person, bob: Person, room: dict[str, Any]) -> None:
    for text in ("fine", "nasty", "fine too"):
        await says(bob, room, text)
    for _ in range(2):
        await ann.does("DeleteRoomMessage", liveRoomId=room["liveRoomId"], number=2)
    assert await said(bob, room) == [(1, "fine"), (2, ""), (3, "fine too")]
    async with world.box(box.settings, box.nginx, box.clock) as again:
        bob.box = again
        told = (await bob.does("GetRoomMessages", liveRoomId=room["liveRoomId"], after=1))["list"][0]
        assert (told["text"], told["deleted"]) == ("", 1)


async def test_a_banned_user_neither_reads_nor_writes(box: Box, ann: Person, bob: Person, room: dict[str, Any]) -> None:
    await ann.does("BanUser", liveRoomId=room["liveRoomId"], userId=2, status=1, timeout=60)
    assert (await says(bob, room, "let me in"))["status"] == 10204
    assert (await bob.says("GetRoomMessages", liveRoomId=room["liveRoomId"]))["status"] == 10204


async def test_a_private_room_asks_for_the_users_own_ticket(box: Box, ann: Person, bob: Person) -> None:
    room = await ann.opens(liveRoomUserPwd="viewer-1")
    assert (await says(bob, room, "hello"))["desc"] == "参数错误: ticket"
    shown = (await ticket(bob, room["liveRoomId"], liveRoomUserPwd="viewer-1")).partition("=")[2]
    assert (await says(bob, room, "hello", ticket=shown))["status"] == 10000
    assert await said(bob, room, ticket=shown) == [(1, "hello")]
    cid = await person(box, "cid", 3)
    for stolen in (shown, shown + "x", "x" * 5000):
        assert (await says(cid, room, "hello", ticket=stolen))["status"] == 10204
    await ann.does("ModifyMyLiveRoom", liveRoomUserPwd="viewer-2")
    assert (await says(bob, room, "hello", ticket=shown))["status"] == 10204
    assert (await says(ann, room, "bye"))["status"] == 10000
