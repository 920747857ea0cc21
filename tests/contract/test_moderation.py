"""GetRoomPlayers, KickPlayer, BanUser: an owner or an assistant, and who watches."""

from __future__ import annotations

from typing import Any

import pytest

from control.live.audience import _id
from control.live.presence import SessionKey
from tests.contract.test_watching import number, ticket
from tests.support import world
from tests.support.people import Person, person, watch
from tests.support.world import Box

pytestmark = pytest.mark.anyio


async def players(owner: Person, room: dict[str, Any]) -> list[dict[str, Any]]:
    await owner.box.running.live.on_air_writer.write()
    told = await owner.does("GetRoomPlayers", liveRoomId=room["liveRoomId"])
    assert told["number"] == await number(owner, room["liveRoomId"])
    viewers: list[dict[str, Any]] = told["list"]
    return viewers


async def over_hls(box: Box, who: Person, room: dict[str, Any]) -> int:
    """What the web nginx is answered about the HLS URL they are given."""
    url = (await who.does("PlayLiveStream", liveroomId=room["liveRoomId"], status=1))["playHlsUrl"]
    return await asked(box, url, room)


async def asked(box: Box, url: str, room: dict[str, Any]) -> int:
    told = {"ticket": url.split("/hls/")[1].split("/")[0], "room": room["liveRoomId"]}
    status = (await box.hooks.get("/hls", params=told)).status_code
    await box.settle()
    return status


async def test_an_owner_sees_who_watches_and_how(box: Box, ann: Person, bob: Person, room: dict[str, Any]) -> None:
    room_id = room["liveRoomId"]
    await watch(box, 1, room_id, f"pwd={room['liveRoomUserPwd']}")
    box.clock.advance(5)
    await watch(box, 2, room_id, await ticket(bob, room_id))
    cid = await person(box, "cid", 3)
    box.clock.advance(5)
    await over_hls(box, cid, room)
    told = [(each["nickName"], each["userId"], each["protocol"], each["seconds"]) for each in await players(ann, room)]
    assert told == [("", 0, "rtmp", 10), ("bob", 2, "rtmp", 5), ("cid", 3, "hls", 0)]
    assert len({each["playerId"] for each in await players(ann, room)}) == 3


async def test_a_user_over_both_ways_is_one_and_an_owner_none(
    box: Box, ann: Person, bob: Person, room: dict[str, Any]
) -> None:
    room_id = room["liveRoomId"]
    for client, who in ((1, bob), (2, ann)):
        await watch(box, client, room_id, await ticket(who, room_id))
        await over_hls(box, who, room)
    assert [each["nickName"] for each in await players(ann, room)] == ["bob"]


async def test_the_longest_here_come_first_on_a_short_page(box: Box, ann: Person, room: dict[str, Any]) -> None:
    for client in range(1, 4):
        await watch(box, client, room["liveRoomId"], f"pwd={room['liveRoomUserPwd']}")
        box.clock.advance(1)
    told = await ann.does("GetRoomPlayers", liveRoomId=room["liveRoomId"], count=2)
    assert (told["number"], [each["seconds"] for each in told["list"]]) == (3, [3, 2])


async def test_a_kicked_player_is_out_and_others_stay(box: Box, ann: Person, room: dict[str, Any]) -> None:
    for client in (1, 2):
        await watch(box, client, room["liveRoomId"], f"pwd={room['liveRoomUserPwd']}")
    first, second = await players(ann, room)
    await ann.does("KickPlayer", liveRoomId=room["liveRoomId"], playerId=first["playerId"])
    assert box.nginx.dropped == [1]
    assert await players(ann, room) == [second]


async def test_a_kicked_user_needs_a_new_ticket(box: Box, ann: Person, bob: Person, room: dict[str, Any]) -> None:
    room_id, old = room["liveRoomId"], await ticket(bob, room["liveRoomId"])
    await watch(box, 1, room_id, old)
    (player,) = await players(ann, room)
    await ann.does("KickPlayer", liveRoomId=room_id, playerId=player["playerId"])
    assert box.nginx.dropped == [1]
    assert await watch(box, 2, room_id, old) == 403
    assert await watch(box, 3, room_id, await ticket(bob, room_id)) == 204


async def test_a_viewer_over_hls_is_kicked(box: Box, ann: Person, bob: Person, room: dict[str, Any]) -> None:
    url = (await bob.does("PlayLiveStream", liveroomId=room["liveRoomId"], status=1))["playHlsUrl"]
    assert await asked(box, url, room) == 204
    (player,) = await players(ann, room)
    await ann.does("KickPlayer", liveRoomId=room["liveRoomId"], playerId=player["playerId"])
    assert await players(ann, room) == []
    assert await asked(box, url, room) == 403


async def test_one_who_cannot_be_dropped_now_is_refused_later(box: Box, ann: Person, room: dict[str, Any]) -> None:
    room_id, shown = room["liveRoomId"], f"pwd={room['liveRoomUserPwd']}"
    await watch(box, 1, room_id, shown)
    (player,) = await players(ann, room)
    box.nginx.deaf = True
    await ann.does("KickPlayer", liveRoomId=room_id, playerId=player["playerId"])
    assert await box.callback("update", 1, str(room_id), shown, kind="play") == 403


async def test_a_publisher_is_no_player_to_kick(box: Box, ann: Person, room: dict[str, Any]) -> None:
    key = SessionKey("local", box.nginx.start, room["liveRoomId"])
    publisher = box.running.live.presence.get(key)
    assert publisher is not None
    await ann.does("KickPlayer", liveRoomId=room["liveRoomId"], playerId=_id(publisher))
    assert box.nginx.dropped == []
    assert box.nginx.start not in _id(publisher)


async def test_a_banned_assistant_cannot_lift_their_own_ban(
    box: Box, ann: Person, bob: Person, room: dict[str, Any]
) -> None:
    proof = {"liveRoomId": room["liveRoomId"], "liveRoomAssistPwd": room["liveRoomAssistPwd"]}
    await ann.does("BanUser", liveRoomId=room["liveRoomId"], userId=2, status=1, timeout=60)
    assert (await bob.says("BanUser", userId=2, status=0, **proof))["status"] == 10204
    box.clock.advance(61)
    await bob.does("GetRoomPlayers", **proof)


async def test_a_banned_user_is_out_over_both_ways(box: Box, ann: Person, bob: Person, room: dict[str, Any]) -> None:
    room_id, shown = room["liveRoomId"], await ticket(bob, room["liveRoomId"])
    url = (await bob.does("PlayLiveStream", liveroomId=room_id, status=1))["playHlsUrl"]
    await watch(box, 1, room_id, shown)
    await asked(box, url, room)
    await ann.does("BanUser", liveRoomId=room_id, userId=2, status=1, timeout=60)
    assert box.nginx.dropped == [1]
    assert await players(ann, room) == []
    assert await watch(box, 2, room_id, shown) == 403
    assert await asked(box, url, room) == 403


async def test_a_ban_ends_by_itself(box: Box, ann: Person, bob: Person, room: dict[str, Any]) -> None:
    room_id, shown = room["liveRoomId"], await ticket(bob, room["liveRoomId"])
    await ann.does("BanUser", liveRoomId=room_id, userId=2, status=1, timeout=60)
    assert (await bob.finds(room_id))["needPassword"] == 1
    box.clock.advance(61)
    assert await watch(box, 1, room_id, shown) == 204
    assert (await bob.finds(room_id))["needPassword"] == 0
    assert (await ann.does("GetRoomPlayers", liveRoomId=room_id))["bannedList"] == []


@pytest.mark.sqlite
async def test_a_ban_outlives_a_restart(box: Box, ann: Person, bob: Person, room: dict[str, Any]) -> None:
    room_id, shown = room["liveRoomId"], await ticket(bob, room["liveRoomId"])
    await ann.does("BanUser", liveRoomId=room_id, userId=2, status=1)
    async with world.box(box.settings, box.nginx, box.clock) as again:
        assert await watch(again, 1, room_id, shown) == 403


async def test_a_ban_is_for_one_room(box: Box, ann: Person, bob: Person, room: dict[str, Any]) -> None:
    cid = await person(box, "cid", 3)
    other = (await cid.opens())["liveRoomId"]
    await ann.does("BanUser", liveRoomId=room["liveRoomId"], userId=2, status=1)
    assert await watch(box, 1, other, await ticket(bob, other)) == 204


async def test_an_assistant_may_do_all_of_it(box: Box, ann: Person, bob: Person, room: dict[str, Any]) -> None:
    cid = await person(box, "cid", 3)
    proof = {"liveRoomId": room["liveRoomId"], "liveRoomAssistPwd": room["liveRoomAssistPwd"]}
    await watch(box, 1, room["liveRoomId"], await ticket(cid, room["liveRoomId"]))
    (player,) = (await bob.does("GetRoomPlayers", **proof))["list"]
    await bob.does("KickPlayer", playerId=player["playerId"], **proof)
    await bob.does("BanUser", userId=player["userId"], status=1, **proof)
    assert (await ann.does("GetRoomPlayers", liveRoomId=room["liveRoomId"]))["bannedList"][0]["nickName"] == "cid"
