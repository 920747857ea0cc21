"""A ban in an open room, whose viewing password is told to every user: it keeps the user's addresses out as well."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from control.settings import Settings
from tests.support import world
from tests.support.people import Person, argument, go_live, person
from tests.support.world import SITE, Box

pytestmark = pytest.mark.anyio
THEIRS, OTHERS = "203.0.113.66", "198.51.100.9"
YES, NO = 204, 403
BOB = 2  # the second user of a database


class Watched:
    """An open room of ann's that bob watches from THEIRS, by ticket."""

    def __init__(self, box: Box, ann: Person, bob: Person, room: dict[str, Any]) -> None:
        self.box, self.ann, self.bob, self.room = box, ann, bob, room
        self.id = room["liveRoomId"]
        self.password = f"pwd={room['liveRoomUserPwd']}"

    async def ticket(self, who: Person) -> str:
        return argument((await who.does("PlayLiveStream", liveroomId=self.id, status=1))["playRtmpUrl"])

    async def play(self, client: int, shown: str, address: str = THEIRS) -> int:
        verdict = await self.box.callback("play", client, str(self.id), shown, addr=address)
        if verdict == YES:
            self.box.nginx.put(client, str(self.id), address=address)
            await self.box.settle()
        return verdict

    async def ban(self, status: int = 1) -> None:
        await self.ann.does("BanUser", liveRoomId=self.id, userId=BOB, status=status, timeout=600)


@pytest.fixture
async def watched(box: Box) -> AsyncIterator[Watched]:
    ann, bob = await person(box), await person(box, "bob", 2)
    room = await ann.opens()
    await go_live(box, room)
    made = Watched(box, ann, bob, room)
    assert await made.play(1, await made.ticket(bob)) == YES
    yield made


async def test_the_password_from_the_list_lets_nobody_in_from_where_they_watched(watched: Watched) -> None:
    assert await watched.play(2, watched.password) == YES
    await watched.ban()
    assert sorted(watched.box.nginx.dropped) == [1, 2]
    assert await watched.play(3, watched.password) == NO
    assert await watched.play(4, watched.password, OTHERS) == YES
    watched.box.clock.advance(601)
    assert await watched.play(5, watched.password) == YES


async def test_a_new_account_gets_no_ticket_there(watched: Watched) -> None:
    cid = await person(watched.box, "cid", 3)
    watched.box.clock.advance(1)
    await watched.ban()
    watched.box.clock.advance(1)
    dora = await person(watched.box, "dora", 4)
    assert await watched.play(2, await watched.ticket(cid)) == YES  # who had an account before goes on
    transport = httpx.ASGITransport(app=watched.box.running.public, client=(THEIRS, 1))
    async with httpx.AsyncClient(transport=transport, base_url=SITE) as there:
        asked = {"sessionId": dora.session, "liveroomId": watched.id, "status": 1, "liveRoomUserPwd": "x"}
        assert (await there.post("/live/PlayLiveStream", json=asked)).json()["status"] == 10204
        shown = (await there.post("/live/SearchLiveStream", json=asked | {"keyword": watched.id})).json()
        assert (shown["liveRoomUserPwd"], shown["playRtmpUrl"], shown["needPassword"]) == ("", "", 1)
        asked["sessionId"] = cid.session
        assert (await there.post("/live/PlayLiveStream", json=asked)).json()["status"] == 10000
    assert await watched.play(3, await watched.ticket(dora), OTHERS) == YES


async def test_in_a_private_room_a_ban_keeps_no_address_out(watched: Watched) -> None:
    await watched.ban()
    await watched.ann.does("ModifyMyLiveRoom", liveRoomUserPwd="2468")
    assert await watched.play(2, "pwd=2468") == YES


async def test_a_lifted_ban_lets_the_address_in(watched: Watched) -> None:
    await watched.ban()
    await watched.ban(0)
    assert await watched.play(2, watched.password) == YES


async def test_a_viewer_over_hls_is_kept_out_where_they_watched(watched: Watched) -> None:
    watched.box.nginx.clients.pop(1)
    await watched.box.settle()
    hls = {"ticket": (await watched.ticket(watched.bob)).partition("=")[2], "room": str(watched.id)}
    answer = await watched.box.hooks.get("/hls", params=hls, headers={"X-Address": "2001:db8::7"})
    assert answer.status_code == YES
    await watched.ban()
    assert await watched.play(2, watched.password, "2001:db8::8") == NO
    assert await watched.play(3, watched.password, "2001:db8:0:1::8") == YES


async def test_it_outlives_a_restart(settings: Settings) -> None:
    async with world.box(settings) as before:
        ann, bob = await person(before), await person(before, "bob", 2)
        watched = Watched(before, ann, bob, await ann.opens())
        assert await watched.play(1, await watched.ticket(bob)) == YES
        await watched.ban()
    async with world.box(settings, clock=before.clock) as after:
        watched.box = after
        assert await watched.play(2, watched.password) == NO
        assert await watched.play(3, watched.password, OTHERS) == YES
    before.clock.advance(601)
    async with world.box(settings, clock=before.clock) as later:
        watched.box = later
        assert await watched.play(4, watched.password) == YES
