"""The page that shows what /openapi.json says."""

from __future__ import annotations

import asyncio
import json
import shlex

import pytest

from tests.e2e.browser import WIDTHS, chromium, visitor
from tests.e2e.conftest import Node

pytestmark = pytest.mark.anyio


async def test_the_page_shows_each_api_and_an_example_that_works(node: Node) -> None:
    async with chromium() as browser, visitor(browser, node) as reader:
        page = reader.page
        await reader.open("/api")
        await page.wait_for_selector("#Register")
        described = (await node.http.get("/openapi.json")).json()
        asked = sum(len(methods) for methods in described["paths"].values())
        assert await page.locator("#apis > section > details").count() == asked
        await page.fill("#api-filter", "no such thing")
        await reader.says("#api-message", "No API is called that.")
        await page.fill("#api-filter", "register")
        await reader.says("#api-message", "")
        assert await page.locator("#apis > section > details:visible").count() == 1
        await page.click("#Register > summary")
        assert await page.locator("#Register .needed").count() == 3
        command = shlex.split(await page.inner_text("#Register > pre"))
        curl = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        assert json.loads((await curl.communicate())[0])["status"] == 10000
        await page.focus("#Register details summary >> nth=3")
        await page.keyboard.press("Enter")
        assert "账号已注册" in await page.inner_text("#Register details[open] pre")
        assert await reader.faults() == []
    assert reader.complaints == []


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_the_page_fits_a_phone_in_any_light(node: Node, theme: str) -> None:
    async with chromium() as browser, visitor(browser, node, color_scheme=theme) as reader:
        await reader.open("/api#GetLiveRoomList")
        await reader.page.click("#GetLiveRoomList[open] .fields details summary >> nth=0")
        await reader.page.wait_for_selector("#GetLiveRoomList .fields .fields:visible")
        for width in WIDTHS:
            await reader.page.set_viewport_size({"width": width, "height": 800})
            assert await reader.overflow() <= 0
        await reader.picture(f"api-{theme}")
        assert await reader.faults() == []
    assert reader.complaints == []
