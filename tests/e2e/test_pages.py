"""The pages, as people use them."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser

from tests.e2e.browser import WIDTHS, Visitor, chromium, visitor
from tests.e2e.conftest import Node, until
from tests.e2e.encoders import encoder
from tests.rtmp.client import Refused

pytestmark = pytest.mark.anyio

# What a browser says of a playlist that is not there yet, or of a viewer who was thrown out: no fault of a page.
EXPECTED = ("403", "404")


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as opened:
        yield opened


def unexpected(complaints: list[str]) -> list[str]:
    return [each for each in complaints if not any(f"status of {number}" in each for number in EXPECTED)]


async def test_an_anchor_streams_and_a_viewer_watches_is_thrown_out_and_comes_back(
    node: Node, browser: Browser
) -> None:
    async with visitor(browser, node) as anchor, visitor(browser, node) as viewer:
        await anchor.open("/studio")
        await anchor.register("ann", "13500000001")
        await anchor.create_room("Ann's room")
        server, key = await anchor.page.input_value("#server"), await anchor.page.input_value("#key")
        room = key.partition("?")[0]
        await viewer.open(f"/room/{room}")
        await viewer.register("bob", "13500000002")
        await viewer.says("#message", "Off air. It starts by itself when the anchor goes live.")
        began = time.monotonic()
        async with encoder(f"{server}/{key}"):
            await viewer.watched(0.1, within=8)
            assert time.monotonic() - began < 6.5  # half a second of which ffmpeg needs to come up
            await viewer.watched(5)
            await anchor.says("#players", "1")
            await anchor.says("#state", "Live")
            await anchor.says("#resolution", "320×180")
            await anchor.page.uncheck("#is-open")
            await anchor.page.fill("#modify [name=liveRoomUserPwd]", "open-sesame")
            await anchor.page.click("#modify [type=submit]")
            await viewer.page.wait_for_selector("#password:visible", timeout=8000)
            await viewer.page.fill("#password input", "wrong-word")
            await viewer.page.click("#password [type=submit]")
            await viewer.says("#password .error", "That is not the viewing password.")
            await viewer.page.fill("#password input", "open-sesame")
            await viewer.page.click("#password [type=submit]")
            await viewer.watched(3)
            await anchor.page.check("#is-open")
            await anchor.page.click("#modify [type=submit]")
            await anchor.says("#kind", "Open: everybody who is logged in may watch")
            await viewer.page.click("#again", timeout=8000)
            await viewer.watched(1)
        await viewer.says("#message", "Off air. It starts by itself when the anchor goes live.")
        async with encoder(f"{server}/{key}"):
            await viewer.watched(2)
    assert unexpected(anchor.complaints + viewer.complaints) == []


async def test_the_front_page_follows_what_is_live(node: Node, browser: Browser) -> None:
    room = await node.room(liveRoomName="Rivers <b>of</b> the north")
    async with visitor(browser, node) as guest:
        await guest.open("/")
        await guest.page.wait_for_selector("#nobody:visible")
        async with node.publisher(room.push), node.player(room.play):
            await guest.says("#rooms strong", "Rivers <b>of</b> the north")
            await guest.says("#rooms .players", "1 watching")
        await guest.page.wait_for_selector("#nobody:visible")
    assert guest.complaints == []


async def test_search_asks_a_guest_to_log_in_and_then_finds(node: Node, browser: Browser) -> None:
    await node.room(liveRoomName="Rivers of the north")
    async with visitor(browser, node) as guest:
        await guest.open("/")
        await guest.page.wait_for_selector("#login:visible")
        await guest.page.fill("#search input", "river")
        await guest.page.keyboard.press("Enter")
        await guest.page.wait_for_selector("#login-form:visible")
        await guest.page.fill("#login-form [name=account]", "user1")
        await guest.page.fill("#login-form [name=password]", "secret-1")
        await guest.page.keyboard.press("Enter")
        await guest.says("#results strong", "Rivers of the north")
    assert guest.complaints == []


async def test_the_front_page_shows_pictures_and_what_a_visitor_follows(node: Node, browser: Browser) -> None:
    room, other = await node.room(liveRoomName="Rivers of the north"), await node.room(liveRoomName="Lakes")
    session = await node.user()
    for each in (room, other):
        await node.api("FollowLiveRoom", sessionId=session, liveRoomId=each.id, isFollow=1)
    async with visitor(browser, node) as guest, encoder(f"{node.rtmp}/{room.push}"):
        await guest.open("/")
        assert await guest.page.is_hidden("#follows")
        await guest.page.wait_for_selector("#rooms .shot img:visible")

        async def drawn() -> bool:
            return bool(await guest.page.evaluate("document.querySelector('#rooms .shot img').naturalWidth > 100"))

        await until(drawn, 10)
        assert re.fullmatch(r"\d+:\d\d", await guest.page.inner_text("#rooms .time"))
        await guest.log_in("user3")
        await guest.page.wait_for_selector("#follows:visible")
        assert await guest.page.locator("#followed strong").all_inner_texts() == ["Rivers of the north", "Lakes"]
        assert await guest.page.locator("#followed .badge").all_inner_texts() == ["Live", "Off air"]
        assert await guest.faults() == []
    assert guest.complaints == []


async def test_search_finds_while_one_types(node: Node, browser: Browser) -> None:
    await node.room(liveRoomName="Rivers of the north")
    async with visitor(browser, node) as guest:
        await guest.open("/")
        await guest.log_in("user1")
        await guest.page.fill("#search input", "river")
        await guest.says("#results strong", "Rivers of the north")
        await guest.page.fill("#search input", "")
        await guest.page.wait_for_selector("#found", state="hidden")
        await guest.page.fill("#search input", "nothing of that name")
        await guest.says("#results li", "No room was found.")
    assert guest.complaints == []


async def test_an_empty_front_page_tells_how_to_go_live(node: Node, browser: Browser) -> None:
    async with visitor(browser, node) as guest:
        await guest.open("/")
        await guest.page.wait_for_selector("#nobody li")
        assert await guest.faults() == []
        await guest.page.click("#nobody a")
        await guest.page.wait_for_selector("#stranger:visible")


async def test_the_studio_shows_refused_pushes_and_the_gate(node: Node, browser: Browser) -> None:
    async with visitor(browser, node) as anchor:
        await anchor.open("/studio")
        await anchor.register("ann", "13500000001")
        await anchor.create_room("Ann's room")
        key = await anchor.page.input_value("#key")
        async with node.client() as client:
            with pytest.raises(Refused):
                await client.publish(key[:-1])
        await anchor.page.wait_for_selector("#refused li:has-text('wrong anchor password')")
        async with node.publisher(key) as publisher:
            await anchor.says("#state", "Live")
            await anchor.page.uncheck("#gate")
            await publisher.closed(within=2)
        await anchor.says("#state", "Off air")
        await anchor.page.check("#gate")
        await anchor.says("#gate-state", "You may push. Switching it off ends the broadcast at once.")
        await anchor.page.click("#qr-box summary")

        async def drawn() -> bool:
            return bool(await anchor.page.evaluate("document.getElementById('qr').naturalWidth > 100"))

        await until(drawn)
        before = await anchor.page.input_value("#the-liveRoomAssistPwd")
        await anchor.page.click("#passwords li:last-child button:has-text('Change')")
        await anchor.page.click("#make-pwd")
        made = await anchor.page.input_value("#new-pwd-form input")
        await anchor.page.click("#new-pwd-form [type=submit]")
        await anchor.says("#changed", "Saved.")
        shown = await anchor.page.input_value("#the-liveRoomAssistPwd")
        is_shown, is_new = shown == made, made != before  # so that a failure does not print them
        assert is_shown and is_new
    assert unexpected(anchor.complaints) == []


async def test_an_anchor_sees_who_watches_and_puts_them_out(node: Node, browser: Browser) -> None:
    async with visitor(browser, node) as anchor:
        await anchor.open("/studio")
        await anchor.register("ann", "13500000001")
        await anchor.create_room("Garden")
        key, room_id = await anchor.page.input_value("#key"), await anchor.page.get_attribute("#watch", "href")
        viewer = await node.user(2)
        asked = {"liveroomId": str(room_id).rpartition("/")[2], "status": 1}
        url = (await node.api("PlayLiveStream", sessionId=viewer, **asked))["playRtmpUrl"]
        async with node.publisher(key), node.player(url.removeprefix(node.rtmp + "/")) as player:
            await anchor.page.wait_for_selector("#viewers li:has-text('user2 · RTMP')")
            await anchor.page.wait_for_selector("#broadcasts td:has-text('On air')")
            assert await anchor.faults() == []
            await anchor.picture("studio-viewers")
            await anchor.page.click("#viewers li button:has-text('Ban for an hour')")
            await player.closed(within=2)
            await anchor.page.wait_for_selector("#banned li:has-text('user2')")
            await anchor.says("#players", "0")
            assert (await node.api("PlayLiveStream", sessionId=viewer, **asked))["status"] == 10002
            async with visitor(browser, node) as banned:
                await banned.open(f"/room/{asked['liveroomId']}")
                await banned.log_in("user2")
                await banned.says("#message", "The anchor does not let you watch this room for now.")
                assert not await banned.page.is_visible("#password")
            await anchor.page.click("#banned li button")
            await anchor.page.wait_for_selector("#banned-title", state="hidden")
            assert (await node.api("PlayLiveStream", sessionId=viewer, **asked))["status"] == 10000
        await anchor.page.wait_for_selector("#broadcasts td:has-text('Publisher left')")
    assert unexpected(anchor.complaints) == []


async def test_rare_key_frames_are_pointed_out(node: Node, browser: Browser) -> None:
    async with visitor(browser, node, locale="zh-CN") as anchor:
        await anchor.open("/studio")
        await anchor.register("ann", "13500000001")
        await anchor.create_room("慢")
        server, key = await anchor.page.input_value("#server"), await anchor.page.input_value("#key")
        async with encoder(f"{server}/{key}", key_frames=6, rate=10):
            await anchor.page.wait_for_selector("#health li:has-text('关键帧间隔过长')", timeout=25000)
            own = "#encoder:text-matches('^FFmpeg .Lavf[0-9]+[.][0-9]+[.][0-9]+.$')"
            await anchor.page.wait_for_selector(own, timeout=5000)
            await anchor.page.wait_for_selector("#plots figure:nth-child(3) canvas", timeout=40000)
            await anchor.picture("studio-live")


async def test_a_password_change_is_confirmed_on_the_page_behind_the_link(node: Node, browser: Browser) -> None:
    await node.user()
    await node.api("ModifyUserPwd", phone="13500000001", password="brand-new")
    await node.logged("/confirm#")
    token = node.log.read_text().rpartition("/confirm#")[2].split()[0]
    async with visitor(browser, node) as holder:
        await holder.open(f"/confirm#{token}")
        await holder.says("#account", "user1")
        assert holder.page.url.endswith("/confirm")
        await holder.page.fill("#new-password", "a stranger's")
        await holder.page.click("#confirm")
        await holder.says("#message", "That is not the new password that was asked for.")
        await holder.page.fill("#new-password", "brand-new")
        await holder.page.click("#confirm")
        await holder.says("#message", "The new password is good now. Please log in again.")
    assert (await node.api("Login", account="user1", password="brand-new"))["status"] == 10000
    assert holder.complaints == []


async def test_a_user_ends_a_login_they_do_not_know_and_changes_the_password(node: Node, browser: Browser) -> None:
    stolen = await node.user()
    async with visitor(browser, node) as owner:
        await owner.open("/account")
        await owner.page.wait_for_selector("#log-in:visible")
        await owner.log_in("user1")
        await owner.page.click("#logins li:has(button) button")
        await owner.page.wait_for_selector("#logins li:has(button)", state="detached")
        assert (await node.api("GetMyLiveRoomId", sessionId=stolen))["status"] == 10003
        await owner.page.fill("#change [name=oldPassword]", "secret-1")
        await owner.page.fill("#change [name=password]", "password")
        await owner.page.click("#change [type=submit]")
        await owner.says("#change .error", "This password is too easy to guess.")
        await owner.page.fill("#change [name=password]", "brand-new")
        await owner.page.click("#change [type=submit]")
        await owner.says("#changed", "The password is changed, and every other login has ended.")
        await owner.says(".people .badge", "This one")
        assert await owner.faults() == []
    assert (await node.api("Login", account="user1", password="brand-new"))["status"] == 10000
    assert owner.complaints == []


async def test_the_whole_of_it_works_with_the_keyboard_alone(node: Node, browser: Browser) -> None:
    room = await node.room(liveRoomName="Rivers")
    async with visitor(browser, node) as guest, node.publisher(room.push):
        await guest.open("/")
        await guest.page.wait_for_selector("#rooms a")
        await guest.page.keyboard.press("Tab")
        assert await guest.page.evaluate("document.activeElement.className") == "skip"
        await guest.page.keyboard.press("Enter")
        for _ in range(3):  # the search field, its button, the first room
            await guest.page.keyboard.press("Tab")
        await guest.page.keyboard.press("Enter")
        await guest.says("#name", "Rivers")
        await guest.page.wait_for_selector("#log-in:visible")
        await guest.page.focus("#log-in")
        await guest.page.keyboard.press("Enter")
        await guest.page.keyboard.type("user1")
        await guest.page.keyboard.press("Tab")
        await guest.page.keyboard.type("secret-1")
        await guest.page.keyboard.press("Enter")
        await guest.watched(1)


@pytest.mark.parametrize(("scheme", "language"), [("light", "zh-CN"), ("dark", "en-US")])
async def test_pages_fit_any_width_and_have_no_serious_accessibility_fault(
    node: Node, browser: Browser, scheme: str, language: str
) -> None:
    room = await node.room(liveRoomName="长江" * 20, liveRoomTopic="a-topic-of-one-long-word" * 5)
    async with visitor(browser, node, color_scheme=scheme, locale=language) as anchor, node.publisher(room.push):
        for name, path, shown in (
            ("front", "/", "#rooms a"),
            ("room", f"/room/{room.id}", "#log-in:visible"),
            ("studio-stranger", "/studio", "#stranger:visible"),
            ("assist-stranger", f"/assist/{room.id}", "#stranger:visible"),
            ("no-room", "/room/999", "#gone:visible"),
        ):
            await look(anchor, f"{name}-{scheme}", path, shown)
        await anchor.open("/studio")
        await anchor.log_in("user1")
        await anchor.page.wait_for_selector("#mine:visible")
        await look(anchor, f"studio-{scheme}", "/studio", "#mine:visible")
        await look(anchor, f"assist-{scheme}", f"/assist/{room.id}", "#mine:visible")
        await look(anchor, f"account-{scheme}", "/account", "#logins li")
        await look(anchor, f"confirm-{scheme}", "/confirm#nothing", "#message")


async def look(guest: Visitor, name: str, path: str, shown: str) -> None:
    await guest.open(path)
    await guest.page.wait_for_selector(shown)
    assert await guest.faults() == []
    await guest.picture(name)
    for width in WIDTHS:
        await guest.page.set_viewport_size({"width": width, "height": 800})
        assert await guest.overflow() <= 0
