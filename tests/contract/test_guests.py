"""Watching without an account: by the owner's choice, by a ticket for each, and never around a ban."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from control.access.guests import LIFETIME, OUT, PER_ADDRESS
from control.access.verdicts import TicketClaims
from tests.support.people import Person, argument, go_live, person
from tests.support.world import SITE, Box

pytestmark = pytest.mark.anyio

HERE, THERE = "203.0.113.66", "198.51.100.9"
YES, NO = 204, 403


class Public:
    """A public room of ann's that is on air."""

    def __init__(self, box: Box, ann: Person, room: dict[str, Any]) -> None:
        self.box, self.ann, self.id = box, ann, room["liveRoomId"]

    async def asks(self, address: str = HERE, **fields: Any) -> dict[str, Any]:
        async with self.at(address) as http:
            asked = {"liveroomId": self.id, "status": 1} | fields
            reply: dict[str, Any] = (await http.post("/live/PlayLiveStream", json=asked)).json()
        return reply

    async def ticket(self, address: str = HERE, **fields: Any) -> str:
        reply = await self.asks(address, **fields)
        assert reply["status"] == 10000, reply
        return argument(reply["playRtmpUrl"]).removeprefix("ticket=")

    async def sees(self, ticket: str, address: str = HERE) -> int:
        """The verdict over HLS."""
        asked, headers = {"room": str(self.id), "ticket": ticket}, {"X-Address": address}
        return (await self.box.hooks.get("/hls", params=asked, headers=headers)).status_code

    async def plays(self, client: int, ticket: str, address: str = HERE) -> int:
        """The verdict over RTMP."""
        verdict = await self.box.callback("play", client, str(self.id), f"ticket={ticket}", addr=address)
        if verdict == YES:
            self.box.nginx.put(client, str(self.id), address=address)
            await self.box.settle()
        return verdict

    async def viewers(self) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = (await self.ann.does("GetRoomPlayers", liveRoomId=self.id))["list"]
        return listed

    async def changes(self, **fields: Any) -> None:
        await self.ann.does("ModifyMyLiveRoom", **fields)

    @asynccontextmanager
    async def at(self, address: str) -> AsyncIterator[httpx.AsyncClient]:
        transport = httpx.ASGITransport(app=self.box.running.public, client=(address, 1))
        async with httpx.AsyncClient(transport=transport, base_url=SITE) as http:
            yield http


@pytest.fixture
async def public(box: Box) -> Public:
    ann = await person(box)
    room = await ann.opens(isPublic=1)
    assert room["isPublic"] == 1
    await go_live(box, room)
    return Public(box, ann, room)


async def test_a_guest_watches_and_is_counted_by_ticket(public: Public) -> None:
    one, other = await public.ticket(), await public.ticket()
    assert one != other
    assert [await public.sees(one), await public.sees(one), await public.sees(other)] == [YES, YES, YES]
    assert await public.plays(1, await public.ticket()) == YES
    viewers = await public.viewers()
    assert len({viewer["playerId"] for viewer in viewers}) == 3
    assert {(viewer["userId"], viewer["nickName"], viewer["isGuest"]) for viewer in viewers} == {(0, "", 1)}


async def test_a_guests_ticket_is_short_enough_for_nginx(public: Public) -> None:
    ticket = await public.ticket()
    assert len(ticket) <= 120
    assert set(ticket) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")


async def test_a_ticket_that_is_shown_is_given_again(public: Public) -> None:
    ticket = await public.ticket()
    assert await public.ticket(THERE, ticket=ticket) == ticket
    public.box.clock.advance(LIFETIME / 2)
    assert await public.ticket(ticket=ticket) != ticket


async def test_what_is_no_guests_ticket_is_not_given_again(public: Public) -> None:
    bob = await person(public.box, "bob", 2)
    reply = await bob.does("PlayLiveStream", liveroomId=public.id, status=1)
    bobs = argument(reply["playRtmpUrl"]).removeprefix("ticket=")
    for shown in (bobs, "x" * 500, "1.2.3.4.5.6", (await public.ticket())[:-1]):
        assert await public.ticket(ticket=shown) != shown


async def test_an_ended_login_does_not_keep_a_guest_out(public: Public) -> None:
    assert (await public.asks(sessionId="ended"))["status"] == 10000


async def test_rooms_are_not_public_unless_their_owner_says_so(box: Box) -> None:
    ann = await person(box)
    room = await ann.opens()
    assert room["isPublic"] == 0
    for asked in ({"liveroomId": room["liveRoomId"]}, {"liveroomId": 77}, {"liveroomId": "x"}, {}):
        assert (await box.api("PlayLiveStream", status=1, **asked))["status"] == 10003


async def test_a_private_room_cannot_be_public(public: Public) -> None:
    ann, refused = public.ann, {"status": 10002, "desc": "参数错误: isPublic"}
    for asked in ({"liveRoomUserPwd": "viewer-1", "isPublic": 1}, {"isPublic": 2}):
        assert (await ann.says("ModifyMyLiveRoom", **asked)).items() >= refused.items()
    ticket = await public.ticket()
    await public.changes(liveRoomUserPwd="viewer-1")
    assert (await ann.does("GetMyLiveRoom"))["isPublic"] == 0
    assert (await ann.says("ModifyMyLiveRoom", isPublic=1)).items() >= refused.items()
    assert [await public.sees(ticket), (await public.asks())["status"]] == [NO, 10003]
    await public.changes(isOpen=1)
    assert (await ann.does("GetMyLiveRoom"))["isPublic"] == 0  # it is asked for anew
    bob = await person(public.box, "bob", 2)
    wrong = {"liveRoomName": "r", "liveRoomUserPwd": "viewer-1", "isPublic": 1}
    assert (await bob.says("CreateLiveRoom", **wrong)).items() >= refused.items()


async def test_a_room_that_is_sent_back_as_it_was_read_stays_public(public: Public) -> None:
    await public.changes(**{k: v for k, v in (await public.ann.does("GetMyLiveRoom")).items() if k != "access"})
    assert (await public.ann.does("GetMyLiveRoom"))["isPublic"] == 1


async def test_guests_are_out_when_the_room_is_public_no_more(public: Public) -> None:
    over_hls, over_rtmp = await public.ticket(), await public.ticket()
    assert [await public.sees(over_hls), await public.plays(1, over_rtmp)] == [YES, YES]
    await public.changes(isPublic=0)
    assert public.box.nginx.dropped == [1]
    assert [await public.sees(over_hls), await public.plays(2, over_rtmp)] == [NO, NO]
    await public.box.settle()
    assert await public.viewers() == []


async def test_a_guests_ticket_ends_and_is_given_back(public: Public) -> None:
    first, second = await public.ticket(), await public.ticket()
    assert (await public.asks(status=0, ticket=first))["status"] == 10000
    assert [await public.sees(first), await public.sees(second)] == [NO, YES]
    assert (await public.asks(status=0, ticket="made up"))["status"] == 10000
    public.box.clock.advance(LIFETIME)
    assert await public.sees(second) == NO


async def test_a_guest_who_was_thrown_out_is_not_back_at_once(public: Public) -> None:
    ticket, others = await public.ticket(), await public.ticket()
    assert [await public.sees(ticket), await public.sees(others, THERE)] == [YES, YES]
    thrown = next(viewer for viewer in await public.viewers() if str(ticket.split(".")[1]) in viewer["playerId"])
    await public.ann.does("KickPlayer", liveRoomId=public.id, playerId=thrown["playerId"])
    assert [await public.sees(ticket), await public.sees(others, THERE)] == [NO, YES]
    assert (await public.asks(ticket=ticket))["status"] == 10204
    assert (await public.asks(THERE))["status"] == 10000
    public.box.clock.advance(OUT + 1)
    assert (await public.asks())["status"] == 10000


async def test_who_was_thrown_out_has_no_other_ticket_put_by(public: Public) -> None:
    ticket, put_by, others = await public.ticket(), await public.ticket(), await public.ticket()
    elsewhere = await public.ticket(THERE)
    assert [await public.sees(ticket), await public.plays(1, others)] == [YES, YES]
    thrown = next(viewer for viewer in await public.viewers() if viewer["protocol"] == "hls")
    await public.ann.does("KickPlayer", liveRoomId=public.id, playerId=thrown["playerId"])
    assert [await public.sees(each) for each in (ticket, put_by, others, elsewhere)] == [NO, NO, YES, YES]
    assert (await public.asks(ticket=put_by))["status"] == 10204


async def test_it_is_known_of_so_many_where_they_got_their_ticket(
    public: Public, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("control.access.guests.NETWORKS", 1)
    ticket, put_by, _ = await public.ticket(), await public.ticket(), await public.ticket(THERE)
    assert await public.sees(ticket) == YES
    [thrown] = await public.viewers()
    await public.ann.does("KickPlayer", liveRoomId=public.id, playerId=thrown["playerId"])
    assert [await public.sees(each) for each in (ticket, put_by)] == [NO, YES]


async def test_the_hour_begins_anew_with_each_who_is_thrown_out(public: Public) -> None:
    box, tickets = public.box, [await public.ticket(), await public.ticket(THERE)]
    for ticket in tickets:
        box.clock.advance(OUT - 5)
        box.nginx.put(public.id, str(public.id), publishing=True, timestamp=int(box.clock.ticks() * 1000))
        await box.settle()
        assert await public.sees(ticket) == YES
        [viewer] = await public.viewers()
        await public.ann.does("KickPlayer", liveRoomId=public.id, playerId=viewer["playerId"])
    box.clock.advance(OUT - 5)
    assert (await public.asks())["status"] == 10204


async def test_a_void_ticket_stays_void_with_the_next_control(public: Public) -> None:
    ticket = await public.ticket()
    assert await public.plays(1, ticket) == YES
    [viewer] = await public.viewers()
    await public.ann.does("KickPlayer", liveRoomId=public.id, playerId=viewer["playerId"])
    public.box.running.live.denials._kept.clear()
    assert await public.sees(ticket) == NO
    public.box.clock.advance(43201)
    await public.box.running.live.denials.purge()
    assert await public.sees(ticket) == NO  # by then it has ended


async def test_a_banned_user_does_not_go_on_as_a_guest(public: Public) -> None:
    bob = await person(public.box, "bob", 2)
    shown = argument((await bob.does("PlayLiveStream", liveroomId=public.id, status=1))["playRtmpUrl"])
    before = await public.ticket()
    assert await public.sees(before) == YES
    assert await public.plays(1, shown.removeprefix("ticket=")) == YES
    await public.ann.does("BanUser", liveRoomId=public.id, userId=2, status=1)
    assert [await public.sees(before), await public.plays(2, before)] == [NO, NO]
    assert (await public.asks())["status"] == 10204
    assert (await public.asks(ticket=before))["status"] == 10204
    elsewhere = await public.ticket(THERE)
    assert [await public.sees(elsewhere, THERE), await public.sees(elsewhere, HERE)] == [YES, NO]


async def test_one_address_has_its_share_of_tickets(public: Public) -> None:
    tickets = {await public.ticket() for _ in range(PER_ADDRESS)}
    assert len(tickets) == PER_ADDRESS
    assert (await public.asks())["desc"] == "参数错误: 操作过于频繁"
    assert await public.ticket(ticket=min(tickets)) in tickets
    assert (await public.asks(THERE))["status"] == 10000
    public.box.clock.advance(LIFETIME + 1)
    assert (await public.asks())["status"] == 10000


async def test_a_line_of_ipv6_has_one_share(public: Public) -> None:
    for number in range(PER_ADDRESS):
        assert (await public.asks(f"2001:db8::{number:x}"))["status"] == 10000
    assert (await public.asks("2001:db8::ffff:1"))["status"] == 10002
    assert (await public.asks("2001:db8:0:1::1"))["status"] == 10000


async def test_a_guest_is_nobody_elsewhere(public: Public) -> None:
    """Their ticket opens no chat, no list and no other room."""
    ticket = await public.ticket()
    for api in ("GetRoomMessages", "SendRoomMessage", "GetLiveRoomList", "FollowLiveRoom", "GetRoomPlayers"):
        asked = {"liveRoomId": public.id, "ticket": ticket, "text": "hello", "type": 1, "isFollow": 1}
        assert (await public.box.api(api, **asked))["status"] == 10003
    bob = await person(public.box, "bob", 2)
    other = (await bob.opens(isPublic=1))["liveRoomId"]
    asked = {"room": str(other), "ticket": ticket}
    assert (await public.box.hooks.get("/hls", params=asked)).status_code == NO
    ban = {"liveRoomId": public.id, "userId": int(ticket.split(".")[1]), "status": 1}
    assert (await public.ann.says("BanUser", **ban))["status"] == 10002


async def test_a_number_that_is_made_up_lets_nobody_in(public: Public) -> None:
    signed = await public.ticket()
    room, guest, *rest = signed.split(".")
    for forged in ((room, str(int(guest) - 1), *rest), (room, "1", *rest), (room, "0", *rest), (room, "-0", *rest)):
        assert await public.sees(".".join(forged)) == NO
    assert TicketClaims(1, -1, 1, 1).is_guests
    assert not TicketClaims(1, 0, 1, 1).is_guests
