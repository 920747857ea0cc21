"""PlayLiveStream, GetLiveroomNumber and FollowLiveRoom: somebody, and another's room."""

from __future__ import annotations

import pytest

from tests.support.people import Person, argument, go_live, go_off, person, watch
from tests.support.world import Box

pytestmark = pytest.mark.anyio


async def ticket(who: Person, room_id: int, **fields: str) -> str:
    play = await who.does("PlayLiveStream", liveroomId=room_id, status=1, **fields)
    return argument(play["playRtmpUrl"])


async def give_back(who: Person, room_id: int) -> None:
    await who.does("PlayLiveStream", liveroomId=room_id, status=0)


async def number(who: Person, room_id: int) -> int:
    """The viewers, as every API tells them."""
    found = (await who.does("GetLiveroomNumber", liveroomId=room_id))["number"]
    assert found == (await who.finds(room_id))["playerCount"]
    return int(found)


async def test_a_ticket_lets_in_and_is_counted(box: Box, ann: Person, bob: Person) -> None:
    room = (await ann.opens())["liveRoomId"]
    assert await watch(box, 1, room, await ticket(bob, room)) == 204
    assert await number(bob, room) == 1


async def test_addresses_name_the_host_that_was_asked(box: Box, ann: Person) -> None:
    room = (await ann.opens())["liveRoomId"]
    play = await ann.does("PlayLiveStream", liveroomId=room, status=1)
    assert play["playRtmpUrl"].startswith(f"rtmp://live.example/live/{room}?ticket=")
    assert play["playHlsUrl"].startswith("http://live.example:8080/hls/")


async def test_a_ticket_is_short_enough_for_nginx(ann: Person) -> None:
    room = (await ann.opens())["liveRoomId"]
    shown = (await ticket(ann, room)).partition("=")[2]
    assert len(shown) <= 120
    assert set(shown) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")


async def test_a_ticket_is_for_one_room(box: Box, ann: Person, bob: Person) -> None:
    anns, bobs = (await ann.opens())["liveRoomId"], (await bob.opens())["liveRoomId"]
    assert await watch(box, 1, bobs, await ticket(bob, anns)) == 403


async def test_a_ticket_with_another_letter_is_none(box: Box, ann: Person, bob: Person) -> None:
    room = (await ann.opens())["liveRoomId"]
    shown = await ticket(bob, room)
    forged = shown[:-1] + ("A" if shown[-1] != "A" else "B")
    assert await watch(box, 1, room, forged) == 403


async def test_a_ticket_ends_after_its_time(box: Box, ann: Person, bob: Person) -> None:
    room = (await ann.opens())["liveRoomId"]
    shown = await ticket(bob, room)
    box.clock.advance(box.settings.ticket_seconds)
    assert await watch(box, 1, room, shown) == 403


async def test_a_private_room_is_watched_by_ticket_after_its_password(box: Box, ann: Person, bob: Person) -> None:
    room = (await ann.opens(liveRoomUserPwd="viewer-1"))["liveRoomId"]
    assert await watch(box, 1, room, await ticket(bob, room, liveRoomUserPwd="viewer-1")) == 204


async def test_giving_back_puts_out_and_voids(box: Box, ann: Person, bob: Person) -> None:
    room = (await ann.opens())["liveRoomId"]
    shown = await ticket(bob, room)
    assert await watch(box, 1, room, shown) == 204
    await give_back(bob, room)
    assert box.nginx.dropped == [1]
    await box.settle()
    assert await number(bob, room) == 0
    assert await watch(box, 2, room, shown) == 403


async def test_giving_back_leaves_other_viewers(box: Box, ann: Person, bob: Person) -> None:
    mine = await ann.opens()
    cid = await person(box, "cid", 3)
    room = mine["liveRoomId"]
    assert await watch(box, 1, room, await ticket(cid, room)) == 204
    assert await watch(box, 2, room, f"pwd={mine['liveRoomUserPwd']}") == 204
    await give_back(bob, room)
    assert await number(ann, room) == 2


async def test_after_giving_back_a_new_ticket_lets_in(box: Box, ann: Person, bob: Person) -> None:
    room = (await ann.opens())["liveRoomId"]
    for client in range(1, 4):
        assert await watch(box, client, room, await ticket(bob, room)) == 204
        await give_back(bob, room)


async def test_giving_back_what_one_never_had_changes_nothing(ann: Person, bob: Person) -> None:
    room = (await ann.opens())["liveRoomId"]
    await give_back(bob, room)
    await give_back(bob, room)
    assert await number(bob, room) == 0


async def test_the_owners_preview_is_no_viewer(box: Box, ann: Person) -> None:
    room = (await ann.opens())["liveRoomId"]
    assert await watch(box, 1, room, await ticket(ann, room)) == 204
    assert await number(ann, room) == 0


async def test_a_refused_play_is_no_viewer(box: Box, ann: Person) -> None:
    room = (await ann.opens())["liveRoomId"]
    assert await watch(box, 1, room, "pwd=wrong") == 403
    assert await number(ann, room) == 0


async def test_the_number_follows_who_comes_and_goes(box: Box, ann: Person) -> None:
    mine = await ann.opens()
    room = mine["liveRoomId"]
    for client in range(1, 4):
        assert await watch(box, client, room, f"pwd={mine['liveRoomUserPwd']}") == 204
        assert await number(ann, room) == client
    del box.nginx.clients[2]
    await box.callback("play_done", 2, str(room))
    await box.settle()
    assert await number(ann, room) == 2


async def test_the_publisher_is_no_viewer(box: Box, ann: Person) -> None:
    mine = await ann.opens()
    await go_live(box, mine)
    assert await number(ann, mine["liveRoomId"]) == 0
    await go_off(box, mine)
    assert (await ann.finds(mine["liveRoomId"]))["isPlay"] == 0


async def test_followers_are_counted_once_each(box: Box, ann: Person, bob: Person) -> None:
    room = (await ann.opens())["liveRoomId"]
    for who, wish, count in [(bob, 1, 1), (ann, 1, 2), (bob, 1, 2), (bob, 0, 1), (bob, 0, 1), (ann, 0, 0)]:
        await who.does("FollowLiveRoom", liveRoomId=room, isFollow=wish)
        seen = await who.finds(room)
        assert (seen["isFollow"], seen["followCount"]) == (wish, count)
