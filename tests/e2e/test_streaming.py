"""The main job: an anchor pushes, viewers watch, and lists, status and counts say so."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack

import pytest

from tests.e2e.conftest import Node, until
from tests.rtmp.client import Refused

pytestmark = pytest.mark.anyio


async def test_a_pushed_room_is_in_another_users_list(node: Node) -> None:
    room, visitor = await node.room(), await node.user()
    async with node.publisher(room.push):
        await node.live(room)
        listed = (await node.api("GetLiveRoomList", sessionId=visitor, type=1))["list"]
        assert [(each["liveRoomId"], each["isPlay"]) for each in listed] == [(room.id, 1)]
    await node.off_air(room)
    assert (await node.api("GetLiveRoomList", sessionId=visitor, type=1))["list"] == []


async def test_players_are_counted_as_they_come_and_go(node: Node) -> None:
    room = await node.room()
    async with node.publisher(room.push), AsyncExitStack() as stay:
        for _ in range(2):
            await stay.enter_async_context(node.player(room.play))
        async with node.player(room.play):
            await node.counted(room, 3)
        await node.counted(room, 2)


async def test_players_get_the_publishers_media(node: Node) -> None:
    room = await node.room()
    async with node.publisher(room.push), node.player(room.play) as player:
        await player.until(lambda: player.media > 10)


async def test_a_push_without_the_anchor_password_is_refused(node: Node) -> None:
    for name in ("{id}?pwd=wrong", "{id}", "{id}?pwd={user}", "{id}?pwd=", "1999999?pwd={anchor}"):
        room = await node.room()
        async with node.client() as client:
            with pytest.raises(Refused):
                await client.publish(name.format(id=room.id, user=room.user, anchor=room.anchor))
        assert not await node.is_live(room)


async def test_a_play_without_the_viewing_password_is_refused(node: Node) -> None:
    for name in ("{id}?pwd=wrong", "{id}", "{id}?pwd={anchor}", "{id}?ticket=1.2.3.4.k1.x"):
        room = await node.room()
        async with node.publisher(room.push), node.client() as client:
            with pytest.raises(Refused):
                await client.play(name.format(id=room.id, anchor=room.anchor))
        assert await node.players(room) == 0


async def test_a_second_publisher_is_refused_and_the_first_stays(node: Node) -> None:
    room = await node.room()
    async with node.publisher(room.push) as first:
        await node.live(room)
        async with node.client() as second:
            with pytest.raises(Refused):
                await second.publish(room.push)
        assert await node.is_live(room)
        assert not first.is_closed


async def test_a_publisher_whose_link_died_gives_way_to_its_own_retry(node: Node) -> None:
    room = await node.room()
    async with node.publisher(room.push, media=False) as dead, node.player(room.play) as player:
        sending = asyncio.create_task(dead.stream_media(seconds=1))
        await node.live(room)
        await sending
        async with node.publisher(room.push):
            await player.until(lambda: player.media > 40)
            assert await node.is_live(room)
        assert not player.is_closed


async def test_a_publisher_without_media_never_counts_as_live_and_is_dropped(node: Node) -> None:
    room = await node.room()
    async with node.publisher(room.push, media=False) as silent:
        await silent.closed(within=15)
        assert not await node.is_live(room)
    await node.logged("reason='no media'")


async def test_status_0_ends_the_push_and_holds_until_status_1(node: Node) -> None:
    room = await node.room()
    gate = {"sessionId": room.session, "liveRoomId": room.id, "timeout": 60}
    async with node.publisher(room.push) as publisher:
        await node.live(room)
        began = time.monotonic()
        await node.api("PushLiveStream", status=0, **gate)
        await publisher.closed(within=1)
        assert time.monotonic() - began < 1
    await node.off_air(room)
    for _ in range(3):
        async with node.client() as client:
            with pytest.raises(Refused):
                await client.publish(room.push)
    await node.api("PushLiveStream", status=1, **gate)
    async with node.publisher(room.push):
        await node.live(room)


async def test_the_shipped_app_can_stop_and_start_again(node: Node) -> None:
    """It stops its encoder, then sends status 0; it pushes, and sends status 1 once it is connected."""
    room = await node.room()
    gate = {"sessionId": room.session, "liveRoomId": room.id, "timeout": 60}
    for _ in range(2):
        async with node.publisher(room.push):
            assert (await node.api("PushLiveStream", status=1, **gate))["status"] == 10000
            await node.live(room)
        assert (await node.api("PushLiveStream", status=0, **gate))["status"] == 10000
        await node.off_air(room)
        await asyncio.sleep(3)  # as long as a person takes to press the button again


async def test_a_player_that_plays_again_is_the_same_viewer(node: Node) -> None:
    room = await node.room()
    async with node.publisher(room.push), node.player(room.play) as player:
        await node.counted(room, 1)
        await player.play(room.play, wait=False)
        seen = player.media
        await player.until(lambda: player.media > seen + 20)
        assert await node.players(room) == 1
        await player.close_stream()
        await node.counted(room, 0)
        await player.play(room.play)
        await node.counted(room, 1)
    await node.counted(room, 0)


async def test_a_publisher_stays_when_an_open_gate_lapses(node: Node) -> None:
    room = await node.room()
    await node.api("PushLiveStream", sessionId=room.session, liveRoomId=room.id, status=1, timeout=5)
    async with node.publisher(room.push) as publisher:
        await asyncio.sleep(6)  # past the lapse, and the update after it
        assert not publisher.is_closed
        assert await node.is_live(room)


async def test_a_changed_viewing_password_puts_out_whom_it_let_in(node: Node) -> None:
    room = await node.room()
    async with node.publisher(room.push) as publisher, node.player(room.play) as player:
        await node.counted(room, 1)
        await node.api("ModifyMyLiveRoom", sessionId=room.session, liveRoomUserPwd="another")
        await player.closed(within=1)
        await node.counted(room, 0)
        assert not publisher.is_closed
        async with node.player(f"{room.id}?pwd=another"):
            await node.counted(room, 1)


async def test_a_changed_anchor_password_puts_the_publisher_out(node: Node) -> None:
    room = await node.room()
    async with node.publisher(room.push) as publisher, node.player(room.play) as player:
        await node.live(room)
        await node.api("ModifyMyLiveRoom", sessionId=room.session, liveRoomAnchorPwd="another")
        await publisher.closed(within=1)
        await node.off_air(room)
        assert not player.is_closed


async def test_a_ticket_lets_one_viewer_in_until_it_is_given_back(node: Node) -> None:
    room, viewer = await node.room(), await node.user()
    ask = {"sessionId": viewer, "liveroomId": room.id}
    url = (await node.api("PlayLiveStream", status=1, **ask))["playRtmpUrl"]
    name = url.removeprefix(node.rtmp + "/")
    async with node.publisher(room.push), node.player(name) as player:
        await node.counted(room, 1)
        await node.api("PlayLiveStream", status=0, **ask)
        await player.closed(within=1)
        async with node.client() as again:
            with pytest.raises(Refused):
                await again.play(name)


async def test_an_owners_preview_by_ticket_is_no_viewer(node: Node) -> None:
    room = await node.room()
    mine = await node.api("GetMyLiveRoom", sessionId=room.session)
    own = mine["playRtmpUrl"].removeprefix(node.rtmp + "/")
    async with node.publisher(room.push), node.player(room.play), node.player(own) as preview:
        await preview.until(lambda: preview.media > 0)
        await node.counted(room, 1)


async def test_viewers_who_came_first_see_the_stream_when_it_begins(node: Node) -> None:
    room = await node.room()
    async with node.player(room.play) as player:
        await node.counted(room, 1)
        async with node.publisher(room.push):
            await player.until(lambda: player.media > 0)
        await node.off_air(room)
        assert not player.is_closed


async def test_ten_rooms_at_once_are_all_listed(node: Node) -> None:
    rooms = [await node.room() for _ in range(10)]
    visitor = await node.user()

    async def listed() -> bool:
        reply = await node.api("GetLiveRoomList", sessionId=visitor, type=1, count=100)
        return {each["liveRoomId"]: each["playerCount"] for each in reply["list"]} == {room.id: 1 for room in rooms}

    async with AsyncExitStack() as stay:
        for room in rooms:
            await stay.enter_async_context(node.publisher(room.push))
            await stay.enter_async_context(node.player(room.play))
        await until(listed, 3)
