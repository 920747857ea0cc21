"""What no encoder does and somebody will: spoofed arguments, odd names, two streams on one connection."""

from __future__ import annotations

import asyncio
from itertools import product

import pytest

from tests.e2e.conftest import Node
from tests.rtmp.client import Refused

pytestmark = pytest.mark.anyio


async def test_repeated_keys_do_not_stand_for_nginxs_own(node: Node) -> None:
    mine, victim = await node.room(), await node.room()
    spoof = f"{victim.id}?pwd={mine.anchor}&name={mine.id}&clientid=1&call=publish_done&app=other&addr=9.9.9.9/x"
    async with node.client() as client:
        with pytest.raises(Refused):
            await client.publish(spoof)
    await node.logged("reason='wrong anchor password'")
    assert not await node.is_live(victim)


async def test_spoofed_ends_do_not_end_anothers_stream(node: Node) -> None:
    mine, victim = await node.room(), await node.room()
    async with node.publisher(victim.push) as publisher:
        await node.live(victim)
        async with node.publisher(f"{mine.push}&name={victim.id}&clientid=1"):
            await node.live(mine)
        await node.off_air(mine)
        assert await node.is_live(victim)
        assert not publisher.is_closed


async def test_a_name_that_is_no_room_id_is_refused(node: Node) -> None:
    room = await node.room()
    names = (b"", b"../etc", b"a/b", "房间".encode(), b">x", b"1\r\nX: y", b"1" * 300, b"-1", b"0")
    for name, ask in product(names, ("publish", "play")):
        async with node.client() as client:
            with pytest.raises(Refused):
                await getattr(client, ask)(name + f"?pwd={room.anchor}".encode())


async def test_an_empty_name_with_a_name_argument_is_nobody(node: Node) -> None:
    room = await node.room()
    async with node.publisher(room.push):
        await node.live(room)
        async with node.client() as client:
            with pytest.raises(Refused):
                await client.publish(f"?name={room.id}&pwd={room.anchor}")
        assert await node.is_live(room)


async def test_a_flash_version_does_not_make_a_relay(node: Node) -> None:
    room = await node.room()
    async with node.client(flashver="ngx-local-relay", tc_url="rtmp://h/live/x") as client:
        with pytest.raises(Refused):
            await client.play(f"{room.id}?pwd=wrong")


async def test_a_second_stream_on_one_connection_ends_the_connection(node: Node) -> None:
    mine, other = await node.room(), await node.room()
    async with node.publisher(mine.push) as client:
        await node.live(mine)
        await client.play(other.play, wait=False)
        await client.closed()
    await node.off_air(mine)
    await node.counted(other, 0)


async def test_a_stream_closed_and_begun_again_on_one_connection_is_live_again(node: Node) -> None:
    room = await node.room()
    async with node.publisher(room.push, media=False) as client:
        await client.stream_media(seconds=0.5)
        await node.live(room)
        await client.close_stream()
        await client.ping()
        await node.off_air(room)
        await client.publish(room.push)
        await asyncio.gather(client.stream_media(seconds=2), node.live(room))


async def test_a_client_gone_before_its_verdict_leaves_nothing(node: Node) -> None:
    room = await node.room()
    for _ in range(20):
        async with node.client() as client:
            await client.publish(room.push, wait=False)
            client.abort()
    async with node.publisher(room.push):
        await node.live(room)


async def test_passwords_and_tickets_reach_no_log(node: Node) -> None:
    room, viewer = await node.room(), await node.user()
    ticket = (await node.api("PlayLiveStream", sessionId=viewer, liveroomId=room.id, status=1))["playRtmpUrl"]
    ticket = ticket.partition("ticket=")[2]
    async with node.publisher(room.push), node.player(room.play), node.player(f"{room.id}?ticket={ticket}"):
        await node.counted(room, 2)
        for name in (f"{room.id}?pwd=hunter2secret", room.anchor, f"{room.id}?ticket={ticket}x"):
            async with node.client() as client:
                with pytest.raises(Refused):
                    await client.play(name)
    await node.logged("play refused")
    log = node.log.read_text()
    for secret in (room.anchor, room.user, ticket, "hunter2secret", room.session, viewer, "secret-1"):
        assert secret not in log
