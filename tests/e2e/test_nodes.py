"""Three nodes over one PostgreSQL: one service, whichever of them its people come to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.e2e.cluster import audience, cluster, everywhere, server_of_its_own
from tests.e2e.conftest import Node, until
from tests.e2e.encoders import encoder
from tests.e2e.workers import gets_media
from tests.rtmp.client import Refused
from tests.support.postgres import Postgres

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with server_of_its_own(tmp_path_factory) as started:
        yield started


@pytest.fixture
async def nodes(tmp_path: Path, server: Postgres) -> AsyncIterator[list[Node]]:
    async with cluster(tmp_path, server, update_seconds=1) as started:
        yield started


async def test_three_nodes_are_one_service(nodes: list[Node]) -> None:
    """In turn, since to start three takes longer than any of it."""
    await a_room_is_one_room_whichever_node_its_people_come_to(nodes)
    await a_list_is_read_on_at_any_node(nodes)
    await hls_of_a_room_at_another_node_is_played_counted_and_refused_here(nodes)
    await an_owner_moderates_at_any_node_who_watches_at_another(nodes)


async def a_room_is_one_room_whichever_node_its_people_come_to(nodes: list[Node]) -> None:
    a, b, c = nodes
    room = await a.room()
    async with a.publisher(room.push):
        await everywhere(nodes, room, live=True, players=0)
        async with audience(nodes, room) as players:
            await asyncio.gather(*map(gets_media, players))
            await everywhere(nodes, room, live=True, players=3)
            async with b.client() as second:
                with pytest.raises(Refused):
                    await second.publish(room.push)
            await asyncio.gather(*map(gets_media, players))
            await everywhere(nodes, room, live=True, players=3)
        await everywhere(nodes, room, live=True, players=0)
    await everywhere(nodes, room, live=False, players=0)
    async with c.publisher(room.push):
        await everywhere(nodes, room, live=True, players=0)
        async with audience(nodes, room) as players:
            await asyncio.gather(*map(gets_media, players))
            await everywhere(nodes, room, live=True, players=3)
    await everywhere(nodes, room, live=False, players=0)


async def a_list_is_read_on_at_any_node(nodes: list[Node]) -> None:
    session, rooms = await nodes[0].user(), [await nodes[0].room() for _ in range(6)]
    async with AsyncExitStack() as stack:
        for number, room in enumerate(rooms):
            await stack.enter_async_context(nodes[number % 3].publisher(room.push))
        for room in rooms:
            await everywhere(nodes, room, live=True, players=0)
        pages = [
            await nodes[number % 3].api("GetLiveRoomList", sessionId=session, type=1, count=1, refresh=int(not number))
            for number in range(7)
        ]
    seen = [each["liveRoomId"] for page in pages for each in page["list"]]
    assert sorted(seen) == sorted(room.id for room in rooms)


async def hls_of_a_room_at_another_node_is_played_counted_and_refused_here(nodes: list[Node]) -> None:
    a, b, c = nodes
    room, viewer = await a.room(), await a.user()
    async with encoder(f"{a.rtmp}/{room.push}", key_frames=2):
        await everywhere(nodes, room, live=True, players=0)
        urls = await c.api("PlayLiveStream", sessionId=viewer, liveroomId=room.id, status=1)
        path = "/hls/" + urls["playHlsUrl"].partition("/hls/")[2]

        async def segment() -> bytes:
            """The last of those that are listed."""
            answer = await b.http.get(path)
            names = [line for line in answer.text.splitlines() if line.endswith(".ts")]
            if answer.status_code != 200 or not names:
                return b""
            return (await b.http.get(path.replace("index.m3u8", names[-1]))).content

        content = await until(segment, 20)
        assert content[:1] == b"G" and len(content) % 188 == 0  # an MPEG transport stream
        await everywhere(nodes, room, live=True, players=1)
        strange = "/".join([*path.split("/")[:2], "1.2.3.4.k1.made-up", *path.split("/")[3:]])
        assert (await b.http.get(strange)).status_code == 403
        assert (await a.http.get(f"/node/hls/{room.id}/index.m3u8")).status_code == 403


async def an_owner_moderates_at_any_node_who_watches_at_another(nodes: list[Node]) -> None:
    a, b, c = nodes
    room, viewer = await a.room(), await a.user()
    mine = {"sessionId": room.session, "liveRoomId": room.id}
    async with a.publisher(room.push):
        await everywhere(nodes, room, live=True, players=0)
        urls = await c.api("PlayLiveStream", sessionId=viewer, liveroomId=room.id, status=1)
        play = urls["playRtmpUrl"].rpartition("/")[2]
        async with b.player(room.play) as nameless, c.player(play) as known:
            await everywhere(nodes, room, live=True, players=2)
            listed = await a.api("GetRoomPlayers", **mine)
            names = {each["userId"]: each["playerId"] for each in listed["list"]}
            [user] = names.keys() - {0}
            assert listed["number"] == len(names) == 2
            kicked = await a.api("KickPlayer", **mine, playerId=names[0])
            assert (kicked["concerned"], kicked["gone"]) == (1, 1)
            await nameless.closed()
            banned = await a.api("BanUser", **mine, userId=user, status=1)
            assert (banned["concerned"], banned["gone"]) == (1, 1)
            await known.closed()
        for node in nodes:
            refused = await node.api("PlayLiveStream", sessionId=viewer, liveroomId=room.id, status=1)
            assert refused["status"] == 10002  # to them it is a private room
        await everywhere(nodes, room, live=True, players=0)
        await b.api("BanUser", **mine, userId=user, status=0)  # or nobody plays by the password from where they were
        async with b.player(room.play) as late:
            await b.api("ModifyMyLiveRoom", **mine, liveRoomName="n", liveRoomUserPwd="another-1")
            await late.closed()
            stopped = await b.api("PushLiveStream", **mine, status=0, timeout=60)
            assert stopped["status"] == 10000
            await everywhere(nodes, room, live=False, players=0)
