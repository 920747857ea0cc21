"""What our own pages ask: the cookie, the header that other sites cannot send, and events."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, MutableMapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest

from control.refusals import NotSent
from control.settings import Settings
from control.web import events
from control.web.events import QUIET, RENEW, STREAMS
from control.web.feed import EVERY, Now
from tests.support import world
from tests.support.world import Box

pytestmark = pytest.mark.anyio

OWN = {"X-QPlus-Page": "1"}


async def ask(box: Box, api: str, **fields: Any) -> dict[str, Any]:
    reply: dict[str, Any] = (await box.http.post(f"/web/{api}", json=fields, headers=OWN)).json()
    return reply


async def log_in(box: Box, account: str = "ann", phone: str = "13500000000") -> None:
    await ask(box, "Register", account=account, phone=phone, password="secret-1")
    await ask(box, "Login", account=account, password="secret-1")


class Stream:
    """An event stream, read by hand: the test client of an application waits for the end of an answer."""

    def __init__(self, box: Box, path: str, cookie: str = "", query: str = "") -> None:
        headers = [(b"host", b"live.example"), (b"cookie", cookie.encode())]
        self._scope: dict[str, Any] = {
            "type": "http",
            "method": "GET",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
        }
        self._scope |= {"headers": headers, "http_version": "1.1", "scheme": "http", "server": None, "client": None}
        self._app, self._clock = box.running.public, box.clock
        self._parts: asyncio.Queue[bytes] = asyncio.Queue()
        self._moving = asyncio.Event()
        self._moving.set()
        self.texts: list[str] = []
        """What came and was not read yet."""
        self.status = 0

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Stream]:
        task = asyncio.create_task(self._app(self._scope, self._receive, self._send))
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def event(self) -> tuple[str, Any]:
        while True:
            if not self.texts:
                self.texts = (await self._part()).decode().split("\n\n")
            text = self.texts.pop(0)
            if text.startswith("event: "):
                name, _, data = text.partition("\n")
                return name.removeprefix("event: "), json.loads(data.removeprefix("data: "))

    async def silence(self) -> None:
        """A sign of life and nothing else."""
        assert await self._part() == b":\n\n"

    def stall(self) -> None:
        """Takes nothing any more."""
        self._moving.clear()

    def go_on(self) -> None:
        self._moving.set()

    async def ended(self) -> None:
        while await self._part():
            pass

    async def _part(self) -> bytes:
        """The next, as the feed's turns come."""
        async with asyncio.timeout(10):
            while self._parts.empty():
                self._clock.advance(EVERY)
                await asyncio.sleep(0.01)
            return self._parts.get_nowait()

    async def _receive(self) -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        await self._moving.wait()
        if message["type"] == "http.response.start":
            self.status = message["status"]
        else:
            self._parts.put_nowait(message["body"])


async def test_login_puts_the_session_into_a_cookie_no_script_can_read(box: Box) -> None:
    await ask(box, "Register", account="ann", phone="13500000000", password="secret-1")
    answer = await box.http.post("/web/Login", json={"account": "ann", "password": "secret-1"}, headers=OWN)
    assert "sessionId" not in answer.json()
    flags = answer.headers["set-cookie"].lower().split("; ")
    assert {"httponly", "samesite=strict", "path=/"} <= set(flags)


async def test_a_site_with_tls_keeps_the_cookie_on_tls(settings: Settings) -> None:
    async with world.box(replace(settings, public_url="https://live.example")) as box:
        await ask(box, "Register", account="ann", phone="13500000000", password="secret-1")
        body = {"account": "ann", "password": "secret-1"}
        answer = await box.http.post("/web/Login", json=body, headers=OWN)
    assert answer.headers["set-cookie"].startswith("__Host-qplus_session=")
    assert "; Secure" in answer.headers["set-cookie"] and "domain" not in answer.headers["set-cookie"].lower()


async def test_a_request_that_came_over_tls_is_enough_for_that(box: Box) -> None:
    await ask(box, "Register", account="ann", phone="13500000000", password="secret-1")
    site, body = "https://live.example/web", {"account": "ann", "password": "secret-1"}
    await box.http.post(f"{site}/Login", json=body, headers=OWN)
    assert (await box.http.post(f"{site}/WhoAmI", json={}, headers=OWN)).json()["account"] == "ann"
    assert [cookie.name for cookie in box.http.cookies.jar] == ["__Host-qplus_session"]
    await box.http.post(f"{site}/LogOut", json={}, headers=OWN)
    assert not list(box.http.cookies.jar)


async def test_over_tls_a_cookie_that_another_host_can_set_is_not_believed(box: Box) -> None:
    session = await box.session("mallory", "13500000009")
    for path in ("/web/WhoAmI", "/events/studio"):
        headers = OWN | {"Cookie": f"qplus_session={session}"}
        method = "GET" if path.startswith("/events") else "POST"
        answer = await box.http.request(method, f"https://live.example{path}", json={}, headers=headers)
        assert answer.status_code == 403 or answer.json()["account"] == ""


async def test_a_wrong_password_makes_no_cookie(box: Box) -> None:
    answer = await box.http.post("/web/Login", json={"account": "ann", "password": "secret-1"}, headers=OWN)
    assert answer.json()["status"] == 10100
    assert "set-cookie" not in answer.headers


async def test_without_the_pages_own_header_nothing_is_done(box: Box) -> None:
    answer = await box.http.post(
        "/web/Register", json={"account": "ann", "phone": "13500000000", "password": "secret-1"}
    )
    assert answer.status_code == 403
    assert (await box.api("Login", account="ann", password="secret-1"))["status"] == 10100


async def test_a_page_is_told_who_its_visitor_is(box: Box) -> None:
    assert (await ask(box, "WhoAmI"))["account"] == ""
    await log_in(box)
    assert (await ask(box, "WhoAmI"))["account"] == "ann"


async def test_a_page_calls_the_apis_as_its_visitor(box: Box) -> None:
    await log_in(box)
    made = await ask(box, "CreateLiveRoom", liveRoomName="Rivers", sessionId="somebody else's")
    assert (await ask(box, "GetMyLiveRoomId"))["liveRoomId"] == made["liveRoomId"]


async def test_log_out_ends_the_session(box: Box) -> None:
    await log_in(box)
    cookies = httpx.Cookies(box.http.cookies)
    assert (await ask(box, "LogOut"))["status"] == 10000
    box.http.cookies = cookies
    assert (await ask(box, "GetMyLiveRoomId"))["status"] == 10003


async def test_anybody_may_see_a_rooms_name_and_nobody_its_passwords(box: Box) -> None:
    ann = await box.session("ann", "13500000000")
    made = await box.api("CreateLiveRoom", sessionId=ann, liveRoomName="Rivers", liveRoomUserPwd="open-sesame")
    answer = await box.http.get(f"/web/room/{made['liveRoomId']}")
    assert answer.json()["name"] == "Rivers"
    assert answer.json()["needPassword"] is True
    assert "open-sesame" not in answer.text
    assert (await box.http.get("/web/room/5")).status_code == 404


async def live_room(box: Box) -> int:
    ann = await box.session("ann", "13500000000")
    room: int = (await box.api("CreateLiveRoom", sessionId=ann, liveRoomName="Rivers"))["liveRoomId"]
    anchor = (await box.api("GetMyLiveRoom", sessionId=ann))["liveRoomAnchorPwd"]
    assert await box.callback("publish", 1, str(room), f"pwd={anchor}") == 204
    box.nginx.put(1, str(room), publishing=True, timestamp=40)
    await box.settle()
    return room


async def test_the_front_pages_events_tell_what_is_live_and_then_only_what_changes(box: Box) -> None:
    room = await live_room(box)
    async with Stream(box, "/events").opened() as stream:
        [shown] = (await stream.event())[1]
        assert shown["id"] == room
        assert 0 <= box.clock.now() - shown["since"] < 10
        assert await stream.event() == ("players", {str(room): 0})
        assert await stream.event() == ("snapshots", {})
        user = (await box.api("GetLiveRoomList", sessionId=await box.session("bob", "13500000001"), type=1))["list"][0]
        await box.callback("play", 2, str(room), f"pwd={user['liveRoomUserPwd']}")
        box.nginx.put(2, str(room))
        await box.settle()
        assert await stream.event() == ("players", {str(room): 1})


async def test_a_rooms_events_tell_when_it_goes_off_air(box: Box) -> None:
    room = await live_room(box)
    async with Stream(box, f"/events/room/{room}").opened() as stream:
        assert await stream.event() == ("state", {"live": True, "players": 0})
        await box.callback("done", 1, str(room))
        box.nginx.clients.clear()
        await box.settle()
        assert await stream.event() == ("state", {"live": False, "players": 0})


async def test_what_front_pages_are_told_is_written_once_for_all(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    room, written = await live_room(box), list[Now]()
    write = events._front
    monkeypatch.setattr(events, "_front", lambda now: written.append(now) or write(now))  # type: ignore[func-returns-value]
    async with AsyncExitStack() as pages:
        for _ in range(5):
            page = await pages.enter_async_context(Stream(box, "/events").opened())
            assert [(await page.event())[0] for _ in range(3)] == ["rooms", "players", "snapshots"]
        await page.silence()
    assert written[0].rooms[0].room_id == room
    assert len(written) == len(set(map(id, written)))


async def test_event_streams_end_when_control_ends(box: Box) -> None:
    async with Stream(box, "/events").opened() as stream:
        await stream.event()
        box.running.feed.close()
        await stream.ended()


async def test_the_studio_is_for_owners(box: Box) -> None:
    for path in ("/events/studio", "/studio/qr.svg"):
        assert (await box.http.get(path)).status_code == 403
    await log_in(box)
    for path in ("/events/studio", "/studio/qr.svg"):
        assert (await box.http.get(path)).status_code == 404


async def test_the_studio_shows_the_publisher_and_who_was_refused(box: Box) -> None:
    room = await live_room(box)
    await box.callback("publish", 7, str(room), "pwd=wrong")
    await ask(box, "Login", account="ann", password="secret-1")
    cookie = f"qplus_session={box.http.cookies['qplus_session']}"
    async with Stream(box, "/events/studio", cookie).opened() as stream:
        _, state = await stream.event()
    assert (state["live"], state["publisher"]["encoder"], state["gateShut"]) == (True, "test", 0)
    assert [each["reason"] for each in state["refused"]] == ["wrong anchor password"]


async def test_the_studios_events_end_with_the_session(box: Box) -> None:
    await live_room(box)
    await ask(box, "Login", account="ann", password="secret-1")
    cookie = f"qplus_session={box.http.cookies['qplus_session']}"
    async with Stream(box, "/events/studio", cookie).opened() as stream:
        await stream.event()
        await ask(box, "LogOut")
        await stream.ended()


async def test_one_anchor_has_a_few_streams_of_the_studio_and_the_oldest_ends(box: Box) -> None:
    room = await live_room(box)
    await ask(box, "Login", account="ann", password="secret-1")
    cookie = f"qplus_session={box.http.cookies['qplus_session']}"
    async with AsyncExitStack() as stack:
        streams = []
        for _ in range(STREAMS + 1):
            streams.append(await stack.enter_async_context(Stream(box, "/events/studio", cookie).opened()))
            await streams[-1].event()
        await streams[0].ended()
        await box.callback("publish", 7, str(room), "pwd=wrong")
        for stream in streams[1:]:
            _, state = await stream.event()
            assert state["refused"]


@pytest.mark.parametrize("path", ["/room/", "/web/room/", "/events/room/"])
async def test_a_room_id_of_any_length_is_an_unknown_path(box: Box, path: str) -> None:
    assert (await box.http.get(path + "9" * 5000)).status_code == 404


async def test_a_host_that_is_none_reaches_no_answer(box: Box) -> None:
    await log_in(box)
    await ask(box, "CreateLiveRoom", liveRoomName="Rivers")
    answer = await box.http.post("/web/GetMyLiveRoom", json={}, headers=OWN | {"Host": "[x"})
    assert answer.json()["access"] == "/web/GetMyLiveRoom"
    assert answer.json()["playHlsUrl"].startswith("http://localhost/hls/")


async def test_a_message_that_cannot_be_sent_is_our_fault_and_no_traceback(
    box: Box, capsys: pytest.CaptureFixture[str]
) -> None:
    await box.session("ann", "13500000000")
    box.postbox.failing = NotSent("the webhook answered 500")
    assert (await box.api("AuthCode", phone="13500000000"))["status"] == 10001
    assert "Traceback" not in capsys.readouterr().err


async def test_the_qr_code_is_kept_by_no_cache(box: Box) -> None:
    await log_in(box)
    await ask(box, "CreateLiveRoom", liveRoomName="Rivers")
    answer = await box.http.get("/studio/qr.svg")
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.text.startswith("<svg")


@pytest.mark.parametrize("path", ["/", "/room/1000001", "/studio", "/profile", "/confirm", "/api"])
async def test_pages_allow_nothing_but_their_own(box: Box, path: str) -> None:
    ann = await box.session("ann", "13500000000")
    assert (await box.api("CreateLiveRoom", sessionId=ann, liveRoomName="Rivers"))["liveRoomId"] == 1000001
    answer = await box.http.get(path)
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy
    assert "<script>" not in answer.text and " style=" not in answer.text and " onclick=" not in answer.text


async def test_the_account_page_of_before_leads_to_the_profile(box: Box) -> None:
    answer = await box.http.get("/account")
    assert (answer.status_code, answer.headers["location"]) == (308, "/profile")


async def test_who_deletes_their_account_keeps_no_cookie(box: Box) -> None:
    await log_in(box)
    assert (await ask(box, "DeleteMyAccount", password="secret-1"))["status"] == 10000
    assert (await ask(box, "LogOut"))["status"] == 10003
    assert not list(box.http.cookies.jar)


async def test_scripts_and_styles_are_there(box: Box) -> None:
    for name in ("common.js", "front.js", "room.js", "studio.js", "texts.js", "page.css", "vendor/hls.light.min.js"):
        assert (await box.http.get(f"/static/{name}")).status_code == 200


async def test_a_banned_visitor_can_be_told_so(box: Box) -> None:
    ann = await box.session("ann", "13500000000")
    room = (await box.api("CreateLiveRoom", sessionId=ann, liveRoomName="Rivers"))["liveRoomId"]
    await log_in(box, "bob", "13500000001")
    assert (await ask(box, "GetMyBan", liveRoomId=room))["seconds"] == 0
    assert (await box.api("BanUser", sessionId=ann, liveRoomId=room, userId=2, status=1, timeout=90))["status"] == 10000
    assert (await ask(box, "GetMyBan", liveRoomId=room))["seconds"] == 90
    assert (await ask(box, "GetMyBan", liveRoomId=5))["seconds"] == 0


async def test_a_login_takes_the_place_of_the_browsers_last(box: Box) -> None:
    await log_in(box)
    before = box.http.cookies["qplus_session"]
    await log_in(box, "bob", "13500000002")
    assert (await box.api("GetMyLiveRoomId", sessionId=before))["status"] == 10003
    assert (await ask(box, "WhoAmI"))["account"] == "bob"


async def test_a_wrong_password_leaves_the_browsers_login(box: Box) -> None:
    await log_in(box)
    await ask(box, "Login", account="ann", password="secret2")
    assert (await ask(box, "WhoAmI"))["account"] == "ann"


async def test_a_logout_ends_the_session_and_clears_the_cookie(box: Box) -> None:
    await log_in(box)
    before = box.http.cookies["qplus_session"]
    assert (await ask(box, "LogOut"))["status"] == 10000
    assert "qplus_session" not in box.http.cookies
    assert (await box.api("GetMyLiveRoomId", sessionId=before))["status"] == 10003


async def test_a_logout_of_a_session_that_has_ended_clears_the_cookie_too(box: Box) -> None:
    await log_in(box)
    box.clock.advance(3601)
    assert (await ask(box, "LogOut"))["status"] == 10003
    assert "qplus_session" not in box.http.cookies


async def test_a_link_to_a_room_can_be_shown_elsewhere(box: Box) -> None:
    ann = await box.session("ann", "13500000000")
    name, text = "Rivers <\"&'>", "of the north\n" * 100
    room = (await box.api("CreateLiveRoom", sessionId=ann, liveRoomName=name, liveRoomDesc=text))["liveRoomId"]
    answer = await box.http.get(f"/room/{room}")
    assert answer.status_code == 200 and "script-src 'self'" in answer.headers["content-security-policy"]
    found = dict(re.findall(r'<meta property="og:(\w+)" content="([^"]*)">', answer.text))
    assert found["title"] == "Rivers &lt;&quot;&amp;&#x27;&gt;"
    assert found["url"] == f"{world.SITE}/room/{room}"
    assert found["description"].startswith("of the north") and len(found["description"]) == 300
    assert "image" not in found


async def test_the_page_of_no_room_is_not_found(box: Box) -> None:
    answer = await box.http.get("/room/1999999")
    assert answer.status_code == 404 and "<main" in answer.text


async def test_the_front_page_uses_the_session_and_shows_that_it_lives(box: Box) -> None:
    await log_in(box)
    cookie = f"qplus_session={box.http.cookies['qplus_session']}"
    async with Stream(box, "/events", cookie).opened() as stream, Stream(box, "/events").opened() as guest:
        for each in (stream, guest):
            assert {(await each.event())[0] for _ in range(3)} == {"rooms", "players", "snapshots"}
        for _ in range(RENEW // QUIET):
            await stream.silence()
            await guest.silence()
        box.clock.advance(3560)
    assert (await ask(box, "GetMyLiveRoomId"))["status"] == 10000
