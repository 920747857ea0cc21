"""Webhooks in the studio: added, tested, paused and removed, as an anchor would."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser

from tests.e2e.browser import chromium, visitor
from tests.e2e.conftest import Node, until
from tests.e2e.test_webhooks import TRUSTED, Receiver

pytestmark = pytest.mark.anyio


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as started:
        yield started


@pytest.mark.parametrize("options", [TRUSTED], ids=["trusted"])
async def test_an_anchor_manages_webhooks_in_the_studio(node: Node, browser: Browser) -> None:
    room, receiver = await node.room(), Receiver()
    async with visitor(browser, node) as anchor, receiver.up():
        page = anchor.page
        await anchor.open("/studio")
        await anchor.log_in("user1")
        await page.click("#hooks summary")
        await page.fill("#hook-form [name=url]", receiver.url)
        await page.click("#hook-form [type=submit]")
        receiver.secret = await until(lambda: page.input_value("#hook-secret"))
        await anchor.says("#hook-list .soft", "All taken")
        assert await anchor.faults() == []
        await page.click("#hook-list button >> text=Test")
        await until(lambda: page.text_content("#hook-said"))
        assert receiver.told == [("webhook.test", 0)]
        await page.click("#hook-list button >> text=Pause")
        await anchor.says("#hook-list .soft", "Paused")
        await node.user()
        await node.api("BanUser", sessionId=room.session, liveRoomId=room.id, userId=2, status=1)
        await page.click("#hook-list button >> text=Go on")
        await receiver.has_taken(2)
        await page.click("#hook-list button >> text=Last attempts")
        attempts = await until(lambda: page.text_content("#attempts"))
        assert "1 user.banned · 204" in attempts
        await page.click("#hooks summary")
        assert await page.input_value("#hook-secret") == ""
        await page.click("#hooks summary")
        await page.click("#hook-list button >> text=Remove")
        await page.wait_for_selector("#hook-list li", state="detached")
    assert anchor.complaints == []
