"""A node with several rtmp nginx, as on a machine with several cores: one room's people are spread over all of them."""

import asyncio

import pytest

from tests.e2e.conftest import Node, until
from tests.e2e.workers import audience, gets_media, seen, where
from tests.rtmp.client import Refused

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("options", [{"rtmp_workers": 3}])]


async def test_a_room_is_one_room_whichever_nginx_its_people_come_to(node: Node) -> None:
    room = await node.room()
    async with audience(node, room, 6) as players:
        assert await where(node, publishing=False) == [2, 2, 2]
        await node.counted(room, 6)
        publishers = set()
        for _ in range(4):  # each at another nginx, as places are freed
            async with node.publisher(room.push):
                await node.live(room)
                publishers.add(tuple(await where(node, publishing=True)))
                await asyncio.gather(*map(gets_media, players))
                async with node.player(room.play) as late, node.client() as second:
                    await gets_media(late)
                    await node.counted(room, 7)
                    with pytest.raises(Refused):
                        await second.publish(room.push)
                await node.counted(room, 6)
            await node.off_air(room)
        assert len(publishers) > 1
        viewers = (await node.api("GetRoomPlayers", sessionId=room.session, liveRoomId=room.id))["list"]
        for gone, viewer in enumerate(viewers, 1):
            ids = {"liveRoomId": room.id, "playerId": viewer["playerId"]}
            assert (await node.api("KickPlayer", sessionId=room.session, **ids))["status"] == 10000
            await node.counted(room, 6 - gone)
        await asyncio.gather(*(player.closed() for player in players))
    await until(lambda: nothing_left(node))  # the relays end with the last who needs them


async def nothing_left(node: Node) -> bool:
    return not any([(await seen(node, worker)).clients for worker in range(3)])


async def test_hls_comes_from_the_home_wherever_the_encoder_pushes(node: Node) -> None:
    room = await node.room()
    viewer = await node.user()
    async with audience(node, room, 2), node.publisher(room.push):
        await node.live(room)
        assert (await where(node, publishing=True))[2] == 1  # not at the first's, where the room is at home
        urls = await node.api("PlayLiveStream", sessionId=viewer, liveroomId=room.id, status=1)
        path = "/hls/" + urls["playHlsUrl"].partition("/hls/")[2]

        async def listed() -> bool:
            answer = await node.http.get(path)
            return answer.status_code == 200 and ".ts" in answer.text

        await until(listed, 15)
        await node.counted(room, 3)
