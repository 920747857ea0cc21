"""Every query goes through an index, and an API makes as many of them whatever the number of rooms."""

from __future__ import annotations

import gc
import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from control.api.requests import PUSH_KEY
from control.clock import SystemClock
from control.live.broadcast_events import CERTAIN
from control.live.broadcasts import REMEMBERED
from control.live.on_air_writer import OnAir
from control.routes import APIS
from control.settings import Settings
from control.storage import sqlite
from control.storage.cache import Cache
from control.storage.database import opened
from control.storage.tables import metadata
from tests.support import pictures, world
from tests.support.consoles import PAGE, Operator
from tests.support.nodes import StandInNode
from tests.support.people import Person, argument, crowd, go_live, go_off, person, watch
from tests.support.world import Box

pytestmark = pytest.mark.anyio

NO_TABLES = re.compile(r"CONSTANT|\d+|anon_\d+|live|numbered|listed|json_each|alembic_version")  # the last has one row
BACKGROUND = re.compile(
    r"(INSERT INTO|DELETE FROM) (on_air|broadcast|list_pages)|UPDATE sessions"
    r"|DELETE FROM sessions WHERE sessions.used_at"
)
PUSHED = "https://app.example/push"
PARTS = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")


@dataclass
class Trace:
    """What every connection was asked, in order."""

    statements: list[str] = field(default_factory=list)

    def taken(self) -> list[str]:
        """What was asked since the last time."""
        taken = [each for each in self.statements if each.lstrip().startswith(PARTS)]
        self.statements.clear()
        return taken


@pytest.fixture
def trace(monkeypatch: pytest.MonkeyPatch) -> Trace:
    asked = Trace()

    class Traced(sqlite.Sqlite):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self.set_trace_callback(asked.statements.append)

    monkeypatch.setattr(sqlite, "Sqlite", Traced)
    return asked


@pytest.fixture
async def traced(trace: Trace, settings: Settings) -> AsyncIterator[Box]:
    async with world.box(settings) as box:
        yield box


def scanned(path: Path, statements: list[str]) -> dict[str, set[str]]:
    """Tables that are read from end to end, and by which statements."""
    found: dict[str, set[str]] = {}
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            for *_, detail in connection.execute(f"EXPLAIN QUERY PLAN {statement}"):
                scan = re.match(r"SCAN (\w+)", detail)
                if scan and not NO_TABLES.fullmatch(scan[1]):
                    found.setdefault(scan[1], set()).add(statement)
    return found


async def evening(box: Box, ann: Person, bob: Person) -> None:
    """Everything the product does, over every API."""
    room = await ann.opens("Ann's garden", liveRoomTopic="Roses")
    private = await bob.opens("Bob's den", liveRoomUserPwd="viewer-1")
    await go_live(box, room, private)
    for kind in (1, 2):
        for refresh in (1, 0):
            await ann.page(kind, refresh=refresh, count=1)
    for keyword in ("1000001", "garden", "g", "花园"):
        await bob.says("SearchLiveStream", keyword=keyword)
        await bob.says("SearchLiveRoom", keyword=keyword)
    for wish in (1, 1, 0, 0):
        await bob.does("FollowLiveRoom", liveRoomId=room["liveRoomId"], isFollow=wish)
    ticket = argument((await bob.does("PlayLiveStream", liveroomId=room["liveRoomId"], status=1))["playRtmpUrl"])
    await watch(box, 1, room["liveRoomId"], ticket)
    await bob.does("GetLiveroomNumber", liveroomId=room["liveRoomId"])
    (player,) = (await ann.does("GetRoomPlayers", liveRoomId=room["liveRoomId"]))["list"]
    for wish in (1, 0):
        await ann.does("BanUser", liveRoomId=room["liveRoomId"], userId=player["userId"], status=wish)
    await ann.does("KickPlayer", liveRoomId=room["liveRoomId"], playerId=player["playerId"])
    await bob.does("PlayLiveStream", liveroomId=room["liveRoomId"], status=0)
    await chat(box, ann, bob, room["liveRoomId"])
    await programs(box, ann)
    await told_of(box, bob, room)
    await ann.does("GetMyLiveRoomId")
    await ann.does("ModifyMyLiveRoom", liveRoomName="Orchard", liveRoomTopic="Apples", liveRoomUserPwd="viewer-2")
    await ann.does("PushLiveStream", liveRoomId=room["liveRoomId"], status=0)
    await ann.does("ModifyUserInfo", nickName="Anna", sex=2, address="Hangzhou")
    for _ in range(2):
        picture = await ann.does("ModifyUserHeadPic", headPic=pictures.sent(pictures.encoded("PNG")))
    await box.http.get("/live/GetUserHeadPic", params={"id": picture["headPicId"]})
    await go_off(box, private)
    box.clock.advance(REMEMBERED + 1)
    await box.settle()
    await bob.does("GetMyLiveSessions")
    for start in (0, 1_800_000_000):
        await bob.does("GetMyLiveSamples", startTime=start)
    await new_passwords(box, ann, bob)


async def chat(box: Box, ann: Person, bob: Person, room: int) -> None:
    for who in (ann, bob):
        await who.does("SendRoomMessage", liveRoomId=room, text="hello")
    await bob.does("GetRoomMessages", liveRoomId=room)
    await ann.does("DeleteRoomMessage", liveRoomId=room, number=1)
    for wish in (1, 0):
        await ann.does("MuteUser", liveRoomId=room, userId=2, status=wish)
    await ann.does("SetChat", liveRoomId=room, slowSeconds=1)
    box.running.live.chat.observe([OnAir(room, box.clock.now() + 1000, 0)])
    await box.running.live.chat_writer.write()


async def told_of(box: Box, bob: Person, room: dict[str, Any]) -> None:
    await bob.does("FollowLiveRoom", liveRoomId=room["liveRoomId"], isFollow=1)
    browser = {"endpoint": PUSHED, "p256dh": PUSH_KEY, "auth": "BTBZMqHH6r4Tts7J_aSIgg"}
    await bob.does("AddPushSubscription", **browser)
    await bob.does("SetMyNotices", byMessage=1)
    await bob.does("GetMyNotices")
    box.internet.receiver.status = 410
    await go_off(box, room)
    box.clock.advance(20)
    await go_live(box, room)
    box.clock.advance(CERTAIN)
    await box.running.herald.step()
    await box.running.herald.purge()
    box.internet.receiver.status = 204
    await bob.does("RemovePushSubscription", endpoint=PUSHED)


async def programs(box: Box, ann: Person) -> None:
    made = await ann.does("AddWebhook", url="https://app.example/hooks", events=["user.banned", "viewer.joined"])
    mine = {"webhookId": made["webhookId"]}
    await ann.does("BanUser", liveRoomId=(await ann.does("GetMyLiveRoomId"))["liveRoomId"], userId=2, status=1)
    await box.running.courier.step()
    await box.running.courier.rest()
    await ann.does("GetMyWebhooks")
    await ann.does("TestWebhook", **mine)
    await ann.does("GetWebhookDeliveries", **mine)
    await ann.does("ReplayWebhook", after=0, **mine)
    await ann.does("EditWebhook", isPaused=1, url="https://app.example/others", **mine)
    await ann.does("RemoveWebhook", **mine)
    await ann.does("GetEvents")
    await box.running.live.broadcast_events.end_lost()
    await box.running.live.purge()


async def new_passwords(box: Box, ann: Person, bob: Person) -> None:
    await ann.does("AuthCode", phone=ann.phone)
    code = box.postbox.messages[-1].secret
    await box.api("ModifyUserPwd", phone=bob.phone, password="changed1")
    token = box.postbox.messages[-1].secret.partition("#")[2]
    await box.http.post("/confirm/ask", json={"token": token})
    await box.http.post("/confirm", json={"token": token, "password": "changed1"})
    await box.api("ModifyUserPwd", phone=ann.phone, password="changed1", authCode=code)
    for account in ("ann", "ann@example.com", ann.phone):
        await box.api("Login", account=account, password="changed1")


async def night(box: Box) -> None:
    """An operator looks at what there is."""
    await box.session("olga", "13700000000")
    transport = httpx.ASGITransport(app=box.running.public)
    async with httpx.AsyncClient(transport=transport, base_url="http://site") as http:
        operator = await (await Operator(box, http, "olga").log_in()).added()
        assert await operator.enter() == 200
        for order, given in (("show-nodes", {}), ("show-figures", {"span": "hour"}), ("show-audit", {"before": 9})):
            assert (await operator.ask(order, **given)).status_code == 200
        await operator.told("find-operators")
        await http.post("/console/leave", headers=PAGE)
        await operator.told("remove-operator", user="olga")
    for _ in range(2):
        await box.running.console.figures.step()
        box.clock.advance(60)
    await box.running.console.purge()


@pytest.mark.sqlite
async def test_every_query_goes_through_an_index(trace: Trace, traced: Box, settings: Settings) -> None:
    at_start = trace.taken()
    ann, bob = await person(traced), await person(traced, "bob", 2)
    await evening(traced, ann, bob)
    await traced.http.get("/web/room/1000001")
    await night(traced)
    await traced.http.post("/web/LogOut", headers={"X-QPlus-Page": "1", "Cookie": f"session={bob.session}"})
    for api, fields in (("LogOut", {"everywhere": 1}), ("DeleteMyAccount", {"password": "changed1"})):
        ann.session = (await traced.api("Login", account="ann", password="changed1"))["sessionId"]
        await ann.does(api, **fields)
    async with opened(settings.database, SystemClock()) as store:
        another = await StandInNode(store, "another").begin()
        await another.publish(1000002)
        another.leave(1000002)
        await another.step()
        await another.log.trim()
    statements = at_start + trace.taken()
    assert {name for name in metadata.tables if not any(name in each for each in statements)} == set()
    assert scanned(settings.data_dir / "qplus.db", statements) == {}


async def test_nothing_is_read_whole_at_the_start(trace: Trace, settings: Settings) -> None:
    async with world.box(settings) as box:
        at_start = trace.taken()
        await person(box)
        box.clock.advance(3601)
    at_the_end = trace.taken()
    path = settings.data_dir / "qplus.db"
    assert scanned(path, at_start) == {}
    assert scanned(path, at_the_end) == {}


def forget_all() -> None:
    """As after a restart: nothing of what is read often is in memory."""
    for cache in gc.get_objects():
        if isinstance(cache, Cache):
            cache.clear()


async def counts(box: Box, trace: Trace, ann: Person, room: int) -> list[tuple[str, int]]:
    """How many queries each API makes."""
    webhook = (await ann.does("AddWebhook", url="https://app.example/hooks"))["webhookId"]
    await ann.does("EditWebhook", webhookId=webhook, isPaused=1)  # or what it is told of would be counted
    asked: list[tuple[str, dict[str, Any]]] = [
        ("Login", {"account": "ann", "password": "secret-1"}),
        ("Register", {"account": "cid", "phone": ann.phone, "password": "secret-1", "email": "x@y.zz"}),
        ("ModifyUserPwd", {"phone": "13500000002", "password": "secret-1", "authCode": "12345"}),
        ("AuthCode", {"phone": "13500000002"}),
        ("GetMySessions", {}),
        ("EndSession", {"loginId": "0123456789abcdef"}),
        ("ModifyUserInfo", {"nickName": "Anna"}),
        ("ModifyUserHeadPic", {"headPic": pictures.sent(pictures.encoded("PNG"))}),
        ("GetMyLiveRoomId", {}),
        ("GetMyLiveRoom", {}),
        ("CreateLiveRoom", {"liveRoomName": "room"}),
        ("ModifyMyLiveRoom", {"liveRoomName": "room", "liveRoomTopic": "topic"}),
        ("PushLiveStream", {"liveRoomId": room, "status": 1}),
        ("GetLiveRoomList", {"type": 1, "count": 100}),
        ("GetLiveRoomList", {"type": 2, "count": 100}),
        ("GetLiveRoomList", {"type": 1, "count": 100, "refresh": 0}),
        ("SearchLiveStream", {"keyword": "room"}),
        ("SearchLiveRoom", {"keyword": room}),
        ("FollowLiveRoom", {"liveRoomId": room, "isFollow": 1}),
        ("PlayLiveStream", {"liveroomId": room, "status": 1}),
        ("PlayLiveStream", {"liveroomId": room, "status": 0}),
        ("GetLiveroomNumber", {"liveroomId": room}),
        ("GetMyLiveSessions", {}),
        ("GetMyLiveSamples", {}),
        ("GetMyLiveSamples", {"startTime": 1_800_000_000}),
        ("GetRoomPlayers", {"liveRoomId": room}),
        ("KickPlayer", {"liveRoomId": room, "playerId": "hls.2"}),
        ("BanUser", {"liveRoomId": room, "userId": 2, "status": 1}),
        ("BanUser", {"liveRoomId": room, "userId": 2, "status": 0}),
        ("SendRoomMessage", {"liveRoomId": room, "text": "hello"}),
        ("GetRoomMessages", {"liveRoomId": room}),
        ("DeleteRoomMessage", {"liveRoomId": room, "number": 99}),
        ("MuteUser", {"liveRoomId": room, "userId": 2, "status": 1}),
        ("MuteUser", {"liveRoomId": room, "userId": 2, "status": 0}),
        ("AddWebhook", {"url": "https://app.example/hooks"}),
        ("GetMyWebhooks", {}),
        ("EditWebhook", {"webhookId": webhook, "isPaused": 1}),
        ("TestWebhook", {"webhookId": webhook}),
        ("ReplayWebhook", {"webhookId": webhook, "after": 0}),
        ("GetWebhookDeliveries", {"webhookId": webhook}),
        ("GetEvents", {}),
        ("RemoveWebhook", {"webhookId": webhook}),
        ("GetMyNotices", {}),
        ("SetMyNotices", {"byMessage": 1}),
        ("AddPushSubscription", {"endpoint": PUSHED, "p256dh": PUSH_KEY, "auth": "BTBZMqHH6r4Tts7J_aSIgg"}),
        ("RemovePushSubscription", {"endpoint": PUSHED}),
        ("SetChat", {"liveRoomId": room, "slowSeconds": 1}),
        ("SetChat", {"liveRoomId": room, "slowSeconds": 0}),
    ]
    assert {name for name, _ in asked} | {"LogOut", "DeleteMyAccount"} == APIS.keys()
    made = []
    for name, fields in asked:
        forget_all()
        await ann.box.running.live.reconcilers.each[0].run()  # which knows the rights of live rooms
        trace.taken()
        await ann.says(name, **fields)
        made.append((name, sum(not BACKGROUND.match(each) for each in trace.taken())))
    for each in (await ann.does("GetMyWebhooks"))["list"]:
        await ann.does("RemoveWebhook", webhookId=each["webhookId"])
    trace.taken()
    await ann.box.api("LogOut", sessionId=(await ann.box.api("Login", account="ann", password="secret-1"))["sessionId"])
    return made


async def test_an_api_makes_as_many_queries_for_sixty_rooms_as_for_two(trace: Trace, traced: Box) -> None:
    ann, bob = await person(traced), await person(traced, "bob", 2)
    mine, bobs = await ann.opens("room"), await bob.opens("room")
    for room in (mine, bobs):
        await ann.does("FollowLiveRoom", liveRoomId=room["liveRoomId"], isFollow=1)
    await go_live(traced, mine, bobs)
    two = await counts(traced, trace, ann, mine["liveRoomId"])
    others = [await each.opens("room") for each in await crowd(traced, 58)]
    await go_live(traced, *others)
    for room in others:
        await ann.does("FollowLiveRoom", liveRoomId=room["liveRoomId"], isFollow=1)
    assert len(await ann.page(1, count=100)) == len(await ann.page(2, count=100)) == 60
    assert await counts(traced, trace, ann, mine["liveRoomId"]) == two
    assert max(number for _, number in two) <= 10


async def test_what_was_asked_before_is_answered_from_memory(trace: Trace, traced: Box) -> None:
    ann, bob = await person(traced), await person(traced, "bob", 2)
    rooms = [await each.opens("room") for each in await crowd(traced, 20)]
    mine = await ann.opens("garden")
    await go_live(traced, mine, *rooms)
    for room in (mine, *rooms):
        await bob.does("FollowLiveRoom", liveRoomId=room["liveRoomId"], isFollow=1)
    reads: list[tuple[str, dict[str, Any]]] = [
        ("GetMyLiveRoomId", {}),
        ("GetLiveRoomList", {"type": 1, "count": 20}),
        ("GetLiveRoomList", {"type": 1, "count": 20, "refresh": 0}),
        ("GetLiveRoomList", {"type": 2, "count": 20}),
        ("SearchLiveRoom", {"keyword": "garden"}),
        ("SearchLiveRoom", {"keyword": mine["liveRoomId"]}),
        ("GetRoomMessages", {"liveRoomId": mine["liveRoomId"]}),
        ("FollowLiveRoom", {"liveRoomId": mine["liveRoomId"], "isFollow": 1}),
        ("PlayLiveStream", {"liveroomId": mine["liveRoomId"], "status": 1}),
        ("GetLiveroomNumber", {"liveroomId": mine["liveRoomId"]}),
    ]
    for turn in range(2):
        trace.taken()
        for name, fields in reads:
            await bob.does(name, **fields)
        await ann.does("GetMyLiveRoom")
        ticket = argument((await bob.does("PlayLiveStream", liveroomId=mine["liveRoomId"], status=1))["playRtmpUrl"])
        await watch(traced, turn + 1, mine["liveRoomId"], ticket)
        await traced.callback("update", turn + 1, str(mine["liveRoomId"]), ticket, kind="play")
        await traced.callback("done", turn + 1, str(mine["liveRoomId"]))
    assert [each for each in trace.taken() if not BACKGROUND.match(each)] == []


async def test_no_statement_is_compiled_again(traced: Box) -> None:
    people = [await person(traced), await person(traced, "bob", 2), await person(traced, "cid", 3)]
    await evening(traced, *people[:2])
    forget_all()
    await people[2].page(2, count=3)
    for part in (traced.running.sessions, traced.running.lists):
        await part.save()
    statements = traced.running.lists._store.statements
    before = statements.compiled
    await people[2].opens("another")
    await people[2].does("FollowLiveRoom", liveRoomId=1000001, isFollow=1)
    await people[2].does("ModifyMyLiveRoom", liveRoomName="Orchard", liveRoomTopic="Pears", liveRoomUserPwd="viewer-3")
    await people[2].says("SearchLiveStream", keyword="gardem")
    forget_all()
    await people[2].page(1, count=3)
    await people[2].page(2, count=3)
    assert statements.compiled == before
