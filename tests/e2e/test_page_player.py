"""How the page of a room comes to its picture, and helps itself when it does not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from playwright.async_api import Browser

from control.web.page_api import COOKIE
from tests.e2e.browser import Visitor, chromium, visitor
from tests.e2e.conftest import Node, Room, until
from tests.e2e.encoders import KINDS, pushing

pytestmark = pytest.mark.anyio

COPIED = "a file, copied"
# Those with a key frame every two seconds or more often, the hardest last.
PROMPT = [
    "key frames of 2 s, with lookahead",
    "key frames of 1 s, no lookahead",
    "key frames of 2 s, no lookahead",
    COPIED,
]
NO_STORM = 4  # requests a second
BEHIND = (
    "() => { const { seekable, currentTime } = document.getElementById('video'); return seekable.end(0) - currentTime }"
)
SHOWS = (
    "() => { const video = document.getElementById('video'); return video.videoWidth > 0 && video.currentTime > 0.1 }"
)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as opened:
        yield opened


class Waiting:
    """A viewer on the page of a room that is off air."""

    def __init__(self, viewer: Visitor, room: Room) -> None:
        self.viewer, self.room = viewer, room
        self.asked: list[float] = []
        """When it asked for anything of HLS. Monotonic."""
        self.showed_at = 0.0
        viewer.page.on(
            "request", lambda request: self.asked.append(time.monotonic()) if "/hls/" in request.url else None
        )

    async def shows(self) -> None:
        await self.viewer.page.wait_for_function(SHOWS, timeout=20000)
        self.showed_at = time.monotonic()

    def asks_per_second(self) -> float:
        return len(self.asked) / (1 + self.asked[-1] - self.asked[0])


@asynccontextmanager
async def waiting(browser: Browser, node: Node) -> AsyncIterator[Waiting]:
    room, session = await node.room(), await node.user()
    async with visitor(browser, node) as viewer:
        site = f"http://127.0.0.1:{node.settings.http_port}"
        await viewer.page.context.add_cookies([{"name": COOKIE, "value": session, "url": site}])
        await viewer.open(f"/room/{room.id}")
        await viewer.says("#message", "Off air. It starts by itself when the anchor goes live.")
        yield Waiting(viewer, room)


@pytest.mark.parametrize("kinds", [PROMPT[:2], PROMPT[2:]])
async def test_a_page_that_waits_shows_the_picture_within_six_seconds_of_the_push(
    node: Node, browser: Browser, copied: list[str], kinds: list[str]
) -> None:
    async with AsyncExitStack() as stack:
        pages = [await stack.enter_async_context(waiting(browser, node)) for _ in kinds]
        began = time.monotonic()
        for kind, page in zip(kinds, pages, strict=True):
            arguments = copied if kind == COPIED else KINDS[kind].arguments
            await stack.enter_async_context(pushing(f"{node.rtmp}/{page.room.push}", arguments))
        await asyncio.gather(*(page.shows() for page in pages))
        assert max(page.showed_at for page in pages) - began < 6.5  # half a second of which ffmpeg needs to come up
        assert max(page.asks_per_second() for page in pages) <= NO_STORM


async def test_pages_help_themselves(node: Node, browser: Browser) -> None:
    async with AsyncExitStack() as stack:
        shown = [await stack.enter_async_context(waiting(browser, node)) for _ in range(3)]
        room = shown[0].room
        for page in shown[1:]:
            await page.viewer.open(f"/room/{room.id}")
        await stack.enter_async_context(pushing(f"{node.rtmp}/{room.push}", KINDS[PROMPT[1]].arguments))
        await asyncio.gather(gives_up(shown[0]), catches_up(shown[1]), plays_without_a_script(shown[2]))
    assert max(page.asks_per_second() for page in shown[1:]) <= NO_STORM


async def gives_up(page: Waiting) -> None:
    """One that cannot show the picture says so and asks no more, until its viewer tries again."""
    segments = "**/hls/**/*.ts"
    await page.viewer.page.route(segments, lambda route: route.fulfill(body=b"G" * 188 * 100))
    await page.viewer.page.reload()
    await page.viewer.says("#message", "The picture cannot be played here.", within=40)
    await page.viewer.page.wait_for_selector("#again:visible")
    await page.viewer.page.unroute(segments)
    assert page.asks_per_second() <= NO_STORM
    await page.viewer.page.click("#again")
    await page.shows()


async def catches_up(page: Waiting) -> None:
    """One that has fallen behind comes back to what is live."""

    async def behind() -> float:
        seconds: float = await page.viewer.page.evaluate(BEHIND)
        return seconds

    async def far() -> bool:
        return await behind() > 12

    async def near() -> bool:
        return await behind() < 6

    await page.shows()
    await page.viewer.page.evaluate("document.getElementById('video').pause()")
    await until(far, 20)
    await page.viewer.page.evaluate("document.getElementById('video').play()")
    await until(near, 5)


async def plays_without_a_script(page: Waiting) -> None:
    """Where hls.js cannot be had, the browser plays by itself if it can."""
    await page.viewer.page.route("**/hls.light.min.js", lambda route: route.abort())
    await page.viewer.page.reload()
    await page.shows()
