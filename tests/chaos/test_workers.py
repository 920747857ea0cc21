"""One of a node's rtmp nginx ends, or the control of several."""

import asyncio
import os
import signal

import pytest

from tests.chaos.scenes import replaced
from tests.e2e.conftest import Node, Room, until
from tests.e2e.workers import audience, clients, gets_media, where

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("options", [{"rtmp_workers": 3}])]


async def test_an_nginx_that_dies_takes_its_own_streams_alone(node: Node) -> None:
    here, there = await node.room(), await node.room()
    async with node.publisher(here.push), node.publisher(there.push):
        await node.live(here)
        await node.live(there)
        assert await where(node, publishing=True) == [1, 1, 0]
        async with audience(node, there, 3) as stay, audience(node, here, 3) as go:
            await asyncio.gather(*map(gets_media, stay + go))
            lost = [each for each in await clients(node, 0) if each.name != str(here.id) and not each.publishing]
            os.kill(node.pid("rtmp"), signal.SIGKILL)
            await asyncio.gather(*(player.closed() for player in go))
            async with node.publisher(here.push):  # at its first retry
                await node.live(here)
                left = [player for player in stay if not player.is_closed]
                assert len(left) == 3 - len(lost)
                await asyncio.gather(*map(gets_media, left))
                await node.counted(there, len(left), within=10)
                await node.counted(here, 0, within=10)
                assert await node.is_live(there)
                async with node.player(here.play) as back:
                    await gets_media(back)


async def test_an_encoder_that_pushed_to_the_one_that_dies_is_let_go(node: Node) -> None:
    room = await node.room()
    async with audience(node, room, 1), node.client(), node.publisher(room.push) as publisher:
        await node.live(room)
        assert (await where(node, publishing=True))[0] == 0
        os.kill(node.pid("rtmp"), signal.SIGKILL)
        await publisher.closed(within=10)
        async with node.publisher(room.push):
            await node.live(room)


async def test_a_control_that_is_killed_cuts_nothing_and_counts_right_again(node: Node) -> None:
    room = await node.room()
    async with audience(node, room, 4) as players, node.publisher(room.push) as publisher:
        await node.live(room)
        await node.counted(room, 4)
        old = node.pid("control")
        os.kill(old, signal.SIGKILL)
        await replaced(node, "control", old)
        await node.ready()
        await node.live(room)
        await node.counted(room, 4, within=10)
        async with node.player(room.play) as late:
            await asyncio.gather(*map(gets_media, [*players, late]))
            await node.counted(room, 5)
            # Every update since was answered by the control that had no part in letting them in.
            await until(lambda: renewed(node, room, 5), 12)
        assert not publisher.is_closed and not any(player.is_closed for player in players)
    await node.off_air(room)
    await node.counted(room, 0)


async def renewed(node: Node, room: Room, number: int) -> bool:
    told = (await node.api("GetRoomPlayers", sessionId=room.session, liveRoomId=room.id))["list"]
    assert len(told) == number
    return all(viewer["seconds"] >= node.settings.update_seconds for viewer in told)
