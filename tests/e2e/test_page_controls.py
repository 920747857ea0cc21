"""The player's own controls, by mouse, keyboard and touch."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page

from tests.e2e.browser import PICTURES, chromium, visitor
from tests.e2e.conftest import Node, until
from tests.e2e.encoders import encoder

pytestmark = pytest.mark.anyio

RESTING = ".screen.resting"


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as opened:
        yield opened


async def holds(page: Page, property_of_video: str) -> None:
    await page.wait_for_function(
        f"() => {{ const video = document.getElementById('video'); return {property_of_video} }}"
    )


async def seconds_behind(page: Page) -> float:
    return float((await page.inner_text("#behind")).split()[0])


async def test_a_viewer_rules_the_player(node: Node, browser: Browser) -> None:
    room = await node.room(liveRoomName="Rivers")
    await node.user(2)
    async with visitor(browser, node) as viewer, encoder(f"{node.rtmp}/{room.push}"):
        await viewer.open(f"/room/{room.id}")
        await viewer.log_in("user2")
        await viewer.watched(4)
        await by_keyboard(viewer.page)
        await by_mouse(viewer.page)
        await tells_figures(viewer.page)
        assert await viewer.faults() == []
        await viewer.picture("room-controls")
        await catches_up_by_itself(viewer.page)
        await hides(viewer.page)
    assert [each for each in viewer.complaints if "404" not in each] == []  # a playlist that was not there yet


async def by_keyboard(page: Page) -> None:
    keys = page.keyboard
    await page.evaluate("document.activeElement.blur()")
    await keys.press(" ")
    await holds(page, "video.paused")
    await keys.press(" ")
    await holds(page, "!video.paused")
    await keys.press("m")
    await holds(page, "video.muted")
    await page.focus("#play")
    await keys.press("ArrowDown")
    await holds(page, "!video.muted && Math.abs(video.volume - 0.9) < 0.01")
    await keys.press("ArrowUp")
    await holds(page, "video.volume === 1")
    await keys.press("f")
    await holds(page, "document.fullscreenElement?.id === 'screen'")
    await keys.press("f")
    await holds(page, "document.fullscreenElement === null")
    await page.fill("#write [name=text]", "")
    await keys.type("f m")  # is written, and rules nothing
    await holds(page, "!video.muted && !video.paused && document.fullscreenElement === null")
    await page.fill("#write [name=text]", "")


async def by_mouse(page: Page) -> None:
    await page.click("#video", position={"x": 100, "y": 100})
    await holds(page, "video.paused")
    await page.click("#play")
    await holds(page, "!video.paused")
    await page.fill("#volume", "0")
    await page.wait_for_selector("#mute[aria-label='Sound on (M)']")
    await page.click("#mute")
    await holds(page, "!video.muted && video.volume > 0")
    await page.evaluate("document.activeElement.blur()")
    await page.focus("#play")
    await page.keyboard.press("ArrowLeft")
    await page.wait_for_selector("#to-live:has-text('Back to live')")
    await page.click("#to-live")
    await page.wait_for_selector("#to-live.live:has-text('Live')")
    assert 0 < await seconds_behind(page) < 6


async def tells_figures(page: Page) -> None:
    await page.click("#show-stats")
    for line in ("Protocol HLS · hls.js", "Resolution 320×180", "Speed 1×"):
        name, _, value = line.partition(" ")
        await page.wait_for_selector(f"#stats div:has-text('{name}'):has-text('{value}')")
    rate = await page.inner_text("#stats div:has-text('Bitrate') dd")
    assert rate.endswith("Mbit/s")
    assert 0.02 < float(rate.split()[0]) < 5


async def catches_up_by_itself(page: Page) -> None:
    """A little behind, it plays faster, and then as before."""
    await page.evaluate("document.getElementById('video').currentTime -= 4.5")
    await holds(page, "video.playbackRate === 1.1 && video.preservesPitch")
    await page.evaluate("document.getElementById('video').currentTime += 3.5")
    await holds(page, "video.playbackRate === 1")


async def hides(page: Page) -> None:
    await page.mouse.move(600, 300)
    await page.click("#show-stats")
    await page.evaluate("document.activeElement.blur()")
    await page.mouse.move(600, 310)
    await page.wait_for_selector(RESTING)
    await page.wait_for_selector("#play", state="hidden")
    await page.mouse.move(600, 320)
    await page.wait_for_selector("#play:visible")


async def test_a_finger_shows_and_hides_the_controls(node: Node, browser: Browser) -> None:
    room = await node.room()
    await node.user(2)
    phone = {"has_touch": True, "is_mobile": True, "viewport": {"width": 360, "height": 740}}
    async with visitor(browser, node, **phone) as viewer, encoder(f"{node.rtmp}/{room.push}"):
        page = viewer.page
        await viewer.open(f"/room/{room.id}")
        await viewer.log_in("user2")
        await viewer.watched(1)
        await page.wait_for_selector(RESTING)
        await page.tap("#screen", position={"x": 50, "y": 50})
        await page.wait_for_selector("#play:visible")
        await page.screenshot(path=PICTURES / "room-phone.png")
        await page.tap("#play")
        await holds(page, "video.paused")
        await page.tap("#play")
        await page.tap("#screen", position={"x": 50, "y": 50})
        await page.wait_for_selector("#play", state="hidden")

        async def unharmed() -> bool:
            return not await page.evaluate("document.getElementById('video').paused")

        await until(unharmed)
    assert [each for each in viewer.complaints if "404" not in each] == []  # a playlist that was not there yet
