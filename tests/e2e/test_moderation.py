"""An owner throws viewers out, over both protocols, and nobody else is touched."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.conftest import Node, Room, until
from tests.e2e.test_hls import playlist, status, ticket_url, watching
from tests.rtmp.client import Refused

pytestmark = pytest.mark.anyio


async def viewers(node: Node, room: Room) -> list[dict[str, Any]]:
    told = await node.api("GetRoomPlayers", sessionId=room.session, liveRoomId=room.id)
    listed: list[dict[str, Any]] = told["list"]
    return listed


async def ticket_name(node: Node, room: Room, session: str) -> str:
    """What an RTMP player of this user plays."""
    reply = await node.api("PlayLiveStream", sessionId=session, liveroomId=room.id, status=1)
    return str(reply["playRtmpUrl"]).removeprefix(node.rtmp + "/")


async def refused(node: Node, url: str) -> None:
    async def is_refused() -> bool:
        return await status(node, url) == 403

    await until(is_refused, 5)


async def test_a_kicked_player_is_out_within_a_second_and_others_stay(node: Node) -> None:
    room = await node.room()
    async with node.publisher(room.push) as publisher, node.player(room.play) as first, node.player(room.play) as other:
        await node.counted(room, 2)
        await node.api(
            "KickPlayer",
            sessionId=room.session,
            liveRoomId=room.id,
            playerId=(await viewers(node, room))[0]["playerId"],
        )
        await first.closed(within=1)
        await node.counted(room, 1)
        assert not publisher.is_closed and not other.is_closed


async def test_a_banned_user_is_out_over_both_protocols(node: Node) -> None:
    room, viewer = await node.room(), await node.user()
    name, url = await ticket_name(node, room, viewer), await ticket_url(node, room, viewer)
    async with node.publisher(room.push), node.player(room.play, host="::1") as other, node.player(name) as player:
        await playlist(node, url)
        async with watching(node, url):
            await node.counted(room, 2)  # a user over both ways is one
            user = next(each["userId"] for each in await viewers(node, room) if each["userId"])
            await node.api("BanUser", sessionId=room.session, liveRoomId=room.id, userId=user, status=1, timeout=60)
            await player.closed(within=1)
            await node.counted(room, 1)
            await refused(node, url)
        async with node.client() as again:
            with pytest.raises(Refused):
                await again.play(name)
        async with node.client() as again:  # the room is open: they know its password
            with pytest.raises(Refused):
                await again.play(room.play)
        assert (await node.api("PlayLiveStream", sessionId=viewer, liveroomId=room.id, status=1))["status"] == 10002
        assert not other.is_closed


async def test_a_kicked_hls_viewer_needs_a_new_ticket(node: Node) -> None:
    room, viewer = await node.room(), await node.user()
    url = await ticket_url(node, room, viewer)
    async with node.publisher(room.push):
        await playlist(node, url)
        await node.counted(room, 1)
        (player,) = await viewers(node, room)
        await node.api("KickPlayer", sessionId=room.session, liveRoomId=room.id, playerId=player["playerId"])
        await node.counted(room, 0)
        await refused(node, url)
        assert await status(node, await ticket_url(node, room, viewer)) == 200
