"""The events of a room's page: who reads the chat there, in which order, and what becomes of who is slow."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from control.web import room_streams
from control.web.room_streams import CHECK, LATEST, SILENCE, Channel, Reader
from tests.contract.test_chat import fill, says
from tests.contract.test_pages import Stream
from tests.contract.test_watching import ticket
from tests.support.people import Person, crowd, go_live, go_off, person
from tests.support.world import Box

pytestmark = pytest.mark.anyio


def stream(who: Person, room: dict[str, Any], shown: str = "") -> Stream:
    return Stream(who.box, f"/events/room/{room['liveRoomId']}", f"qplus_session={who.session}", shown)


async def begun(reader: Stream) -> list[str]:
    """The texts of the chat as it was when the reader came."""
    assert (await reader.event())[0] == "state"
    name, chat = await reader.event()
    assert name == "chat"
    return [each["text"] for each in chat["messages"]]


async def told(reader: Stream, count: int) -> list[Any]:
    events = [await reader.event() for _ in range(count)]
    assert {name for name, _ in events} == {"message"}
    return [message for _, message in events]


async def test_a_reader_is_told_of_each_message_once_and_in_order(
    box: Box, ann: Person, bob: Person, room: dict[str, Any]
) -> None:
    await says(bob, room, "before")
    async with stream(ann, room).opened() as first, stream(bob, room).opened() as second:
        assert await begun(first) == await begun(second) == ["before"]
        for text in ("one", "two"):
            await says(bob, room, text)
        await ann.does("DeleteRoomMessage", liveRoomId=room["liveRoomId"], number=2)
        await says(ann, room, "three")
        wanted = [(2, "one", 0), (3, "two", 0), (2, "", 1), (4, "three", 0)]
        for reader in (first, second):
            shown = await told(reader, 4)
            assert [(each["number"], each["text"], each["deleted"]) for each in shown] == wanted


async def test_who_comes_late_gets_the_newest(box: Box, ann: Person, bob: Person, room: dict[str, Any]) -> None:
    await fill(box, bob, room, LATEST + 5)
    async with stream(ann, room).opened() as reader:
        assert await begun(reader) == [f"line {number}" for number in range(5, LATEST + 5)]


async def test_a_new_broadcast_and_new_rules_begin_the_chat_anew(
    box: Box, ann: Person, bob: Person, room: dict[str, Any]
) -> None:
    async with stream(bob, room).opened() as reader:
        assert await begun(reader) == []
        await says(bob, room, "hello")
        await told(reader, 1)
        await ann.does("SetChat", liveRoomId=room["liveRoomId"], slowSeconds=5)
        name, chat = await reader.event()
        assert (name, chat["slowSeconds"], [each["text"] for each in chat["messages"]]) == ("chat", 5, ["hello"])
        await go_off(box, room)
        assert await reader.event() == ("state", {"live": False, "players": 0})
        box.clock.advance(60)
        await go_live(box, room)
        events = dict([await reader.event(), await reader.event()])
        assert events == {"state": {"live": True, "players": 0}, "chat": {"slowSeconds": 5, "messages": []}}


async def test_guests_are_told_nothing_of_the_chat(box: Box, bob: Person, room: dict[str, Any]) -> None:
    async with Stream(box, f"/events/room/{room['liveRoomId']}").opened() as guest:
        assert (await guest.event())[0] == "state"
        await says(bob, room, "among ourselves")
        await go_off(box, room)
        assert await guest.event() == ("state", {"live": False, "players": 0})


async def test_of_a_private_room_only_who_may_watch_is_told(box: Box, ann: Person, bob: Person) -> None:
    room = await ann.opens(liveRoomUserPwd="viewer-1")
    shown = await ticket(bob, room["liveRoomId"], liveRoomUserPwd="viewer-1")
    await says(ann, room, "among ourselves")
    cid = await person(box, "cid", 3)
    async with (
        stream(bob, room, shown).opened() as reader,
        stream(cid, room, shown).opened() as stranger,
        stream(ann, room).opened() as owner,
    ):
        assert await begun(reader) == await begun(owner) == ["among ourselves"]
        assert (await stranger.event())[0] == "state"
        await go_live(box, room)
        assert (await stranger.event())[0] == (await reader.event())[0] == "state"


async def test_who_is_banned_reads_no_more(box: Box, ann: Person, bob: Person, room: dict[str, Any]) -> None:
    async with stream(bob, room).opened() as reader:
        await begun(reader)
        await ann.does("BanUser", liveRoomId=room["liveRoomId"], userId=2, status=1)
        await says(ann, room, "he is gone")
        assert await reader._part() == b""


async def test_who_logs_out_reads_no_more_in_a_moment(box: Box, ann: Person, bob: Person, room: dict[str, Any]) -> None:
    async with stream(bob, room).opened() as reader:
        await begun(reader)
        await bob.does("LogOut")
        box.clock.advance(CHECK)
        await says(ann, room, "he is gone")
        assert await reader._part() == b""


async def test_who_watches_uses_the_session(box: Box, bob: Person, room: dict[str, Any]) -> None:
    async with stream(bob, room).opened() as reader:
        await begun(reader)
        for _ in range(4000 // int(SILENCE)):
            box.clock.advance(SILENCE)
            await reader.silence()
    assert await bob.is_logged_in()


async def test_streams_end_when_control_ends(box: Box, bob: Person, room: dict[str, Any]) -> None:
    async with stream(bob, room).opened() as reader:
        await begun(reader)
        box.running.stop_waiting()
        await reader.ended()


async def test_a_reader_who_missed_too_much_is_given_up(
    box: Box, ann: Person, bob: Person, room: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room_streams, "BEHIND", 3)
    slow, quick = stream(bob, room), stream(ann, room)
    async with slow.opened(), quick.opened():
        assert await begun(slow) == await begun(quick) == []
        slow.stall()
        for text in ("one", "two", "three", "four", "five"):
            await says(ann, room, text)
            await told(quick, 1)
        slow.go_on()
        await slow.ended()
        await says(bob, room, "six")
        assert [each["text"] for each in await told(quick, 1)] == ["six"]
    async with stream(bob, room).opened() as again:
        assert await begun(again) == ["one", "two", "three", "four", "five", "six"]


async def test_of_a_room_that_nobody_reads_nothing_is_kept(box: Box, bob: Person, room: dict[str, Any]) -> None:
    async with stream(bob, room).opened() as reader:
        await begun(reader)
        channel = box.running.streams._channels[room["liveRoomId"]]
        for each in await crowd(box, 3):
            await says(each, room, "hello")
        await told(reader, 3)
        await box.running.streams.deliver()
        assert list(channel._events) == []
    assert box.running.streams._channels == {}


def test_an_event_is_joined_once_for_all_who_are_as_far() -> None:
    channel = Channel(1000001)
    channel._events.extend([b"a", b"b", b"c"])
    channel.end = 13
    assert channel.since(11) is channel.since(11)
    assert (channel.since(10), channel.since(11), channel.since(13), channel.since(9)) == (b"abc", b"bc", b"", None)


async def test_many_are_told_some_at_a_time(box: Box, room: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room_streams, "SOME", 2)
    channel = Channel(room["liveRoomId"])
    channel.state = b"another"
    now = box.clock.ticks()
    channel.readers = dict.fromkeys(Reader(now, now, b"", None) for _ in range(5))
    seen: list[int] = []

    async def others() -> None:
        while len(seen) < 4:
            seen.append(sum(reader.wake.is_set() for reader in channel.readers))
            await asyncio.sleep(0)

    task = asyncio.ensure_future(others())
    await box.running.streams._wake(channel)
    await task
    assert sorted(set(seen)) == [2, 4, 5]
