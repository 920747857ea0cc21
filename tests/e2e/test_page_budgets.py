"""What the pages may weigh, how still they stand, and how soon a room shows its picture on a slow link."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from playwright.async_api import Browser, Page

from control.web.page_api import COOKIE
from tests.e2e.browser import Visitor, chromium, visitor
from tests.e2e.conftest import Node
from tests.e2e.encoders import Kind, encoder, pushing

pytestmark = pytest.mark.anyio

FRONT = 150 * 1024  # bytes on the link, without pictures and films
PAGE = 50_000  # of them without the script that plays films
SHIFT = 0.001  # of https://web.dev/articles/cls: nothing that a person would see
PICTURE = 2.0  # seconds
LINK = {"offline": False, "latency": 20, "downloadThroughput": 5e6 / 8, "uploadThroughput": 1e6 / 8}
WATCH_SHIFTS = """
window.shifted = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    const nodes = entry.sources.map((source) => source.node?.outerHTML?.slice(0, 80));
    if (!entry.hadRecentInput) window.shifted.push([entry.value, nodes]);
  }
}).observe({ type: "layout-shift", buffered: true });
"""
TWO_MBIT = ["-b:v", "2M", "-maxrate", "2M", "-bufsize", "2M", "-x264-params", "nal-hrd=cbr"]


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as opened:
        yield opened


class Weighed:
    """What a page takes over the link."""

    def __init__(self) -> None:
        self.bytes: dict[str, int] = {}
        self._addresses: dict[str, str] = {}

    async def follow(self, page: Page) -> None:
        session = await page.context.new_cdp_session(page)
        session.on("Network.requestWillBeSent", lambda sent: self._sent(sent["requestId"], sent["request"]["url"]))
        session.on("Network.dataReceived", lambda got: self._came(got["requestId"], got["encodedDataLength"]))
        await session.send("Network.enable")

    def _sent(self, request: str, url: str) -> None:
        self._addresses[request] = url.partition("?")[0]

    def _came(self, request: str, size: int) -> None:
        address = self._addresses.get(request, "")
        self.bytes[address] = self.bytes.get(address, 0) + size

    @property
    def player(self) -> int:
        return self._all_with("/vendor/")

    @property
    def page(self) -> int:
        return self._all_with("/") - self.player - self._all_with("/snapshot/") - self._all_with("/hls/")

    def _all_with(self, text: str) -> int:
        return sum(size for url, size in self.bytes.items() if text in url)


async def shifts(page: Page) -> list[object]:
    shifted: list[list[float]] = await page.evaluate("window.shifted")
    return [entry for entry in shifted if entry[0] > SHIFT]


async def slow_link(page: Page) -> None:
    session = await page.context.new_cdp_session(page)
    await session.send("Network.enable")
    await session.send("Network.emulateNetworkConditions", LINK)


async def logged_in(viewer: Visitor, node: Node, session: str) -> None:
    site = f"http://127.0.0.1:{node.settings.http_port}"
    await viewer.page.context.add_cookies([{"name": COOKIE, "value": session, "url": site}])


async def test_the_front_page_is_light_and_still_and_shows_the_most_watched(node: Node, browser: Browser) -> None:
    room, other = await node.room(liveRoomName="Rivers", isPublic=1), await node.room(liveRoomName="Lakes")
    session = await node.user(3)
    await node.api("FollowLiveRoom", sessionId=session, liveRoomId=other.id, isFollow=1)
    async with encoder(f"{node.rtmp}/{room.push}"), node.publisher(other.push), AsyncExitStack() as crowd:
        for _ in range(4):  # more than are left of those who have just closed a page that played the first
            await crowd.enter_async_context(node.player(other.play))
        await node.live(room)
        await node.live(other)
        for name, account, width in (("guest", "", 1280), ("user", session, 1280), ("phone", session, 360)):
            async with visitor(browser, node, viewport={"width": width, "height": 800}) as guest:
                await guest.page.add_init_script(WATCH_SHIFTS)
                await slow_link(guest.page)
                weighed = Weighed()
                await weighed.follow(guest.page)
                if account:
                    await logged_in(guest, node, account)
                await guest.open("/")
                await guest.page.wait_for_selector("#rooms a >> nth=1")
                if width > 1000:
                    featured = "Lakes" if account else "Rivers"
                    await guest.says("#featured-name", featured)
                if name == "guest":
                    await plays_and_stops(guest, node)
                assert await shifts(guest.page) == []
                assert 10_000 < weighed.page < PAGE, weighed.bytes
                assert weighed.page + weighed.player < FRONT, weighed.bytes
                if name != "user":  # to whom it may be on its way
                    assert (weighed.player > 0) == (name == "guest")
                await guest.picture(f"front-{name}")
                assert await guest.overflow() <= 0
                assert await guest.faults() == []


async def plays_and_stops(guest: Visitor, node: Node) -> None:
    """The featured room counts its viewer, until they pause it."""
    page = guest.page
    await page.wait_for_function("() => document.getElementById('featured-video').currentTime > 0.5")
    assert await page.evaluate("document.getElementById('featured-video').muted")
    await guest.says("#featured-players", "1 watching")
    await page.click("#featured-pause")
    await page.wait_for_selector("#featured-pause[aria-label='Play: Rivers']")
    assert await page.evaluate("document.getElementById('featured-video').getAttribute('src')") is None
    await guest.says("#featured-players", "0 watching", within=20)
    await page.click("#featured-pause")
    await page.wait_for_function("() => document.getElementById('featured-video').currentTime > 0.1")


@pytest.mark.alone
async def test_a_live_room_shows_its_picture_within_two_seconds_on_a_slow_link(node: Node, browser: Browser) -> None:
    room, session = await node.room(liveRoomName="Rivers"), await node.user(2)
    arguments = Kind(2, lookahead=False).arguments
    async with pushing(f"{node.rtmp}/{room.push}", [*arguments, *TWO_MBIT]), visitor(browser, node) as viewer:
        await logged_in(viewer, node, session)
        await viewer.open(f"/room/{room.id}")
        await viewer.watched(0.1)
        took = []
        for _ in range(3):
            await viewer.page.goto("about:blank")
            async with visitor(browser, node) as newcomer:
                await newcomer.page.add_init_script(WATCH_SHIFTS)
                await logged_in(newcomer, node, session)
                await slow_link(newcomer.page)
                began = time.monotonic()
                await newcomer.open(f"/room/{room.id}")
                await newcomer.page.wait_for_function("() => document.getElementById('video').currentTime > 0.02")
                took.append(time.monotonic() - began)
                assert await shifts(newcomer.page) == []
        assert min(took) < PICTURE, took
