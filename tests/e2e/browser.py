"""Debian's Chromium, driven as a person would."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from axe_playwright_python.base import AXE_FILE_PATH
from playwright.async_api import Browser, Page, async_playwright

from tests.e2e.conftest import Node, until

PICTURES = Path(__file__).parents[2] / "var" / "screenshots"
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDTHS = (360, 1280, 1920)


class Visitor:
    """One person's browser. `complaints` is what its console says that no page should make it say."""

    def __init__(self, page: Page, node: Node) -> None:
        self.page = page
        self._node = node
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda message: self.complaints.append(message.text) if message.type == "error" else None)

    async def open(self, path: str) -> None:
        await self.page.goto(f"http://127.0.0.1:{self._node.settings.http_port}{path}")

    async def register(self, account: str, phone: str) -> None:
        await self.page.click("#login")
        await self.page.click("#login-form .other")
        form = self.page.locator("#register-form")
        for name, value in (("account", account), ("phone", phone), ("password", "secret-1")):
            await form.locator(f"[name={name}]").fill(value)
        await form.locator("[type=submit]").click()
        await self.page.wait_for_selector("#logout:visible")

    async def log_in(self, account: str) -> None:
        await self.page.click("#login")
        form = self.page.locator("#login-form")
        for name, value in (("account", account), ("password", "secret-1")):
            await form.locator(f"[name={name}]").fill(value)
        await form.locator("[type=submit]").click()
        await self.page.wait_for_selector("#logout:visible")

    async def create_room(self, name: str) -> None:
        await self.open("/studio")
        await self.page.fill("#create [name=liveRoomName]", name)
        await self.page.click("#create [type=submit]")
        await until(lambda: self.page.input_value("#key"))

    async def says(self, selector: str, text: str, within: float = 10.0) -> None:
        async def shown() -> bool:
            return bool(await self.page.text_content(selector) == text)

        await until(shown, within)

    async def watched(self, seconds: float, within: float = 20.0) -> None:
        """Waits until the player has got that far since it began."""

        async def advanced() -> bool:
            now: float = await self.page.evaluate("document.getElementById('video').currentTime")
            return now >= seconds

        await until(advanced, within)

    async def picture(self, name: str) -> None:
        """Screenshots at each width, to be looked at."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        for width in WIDTHS:
            await self.page.set_viewport_size({"width": width, "height": 800})
            await self.page.screenshot(path=PICTURES / f"{name}-{width}.png", full_page=True)

    async def overflow(self) -> int:
        """Pixels by which the page is wider than its window."""
        wide: int = await self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        return wide

    async def faults(self) -> list[str]:
        """Serious accessibility faults that axe finds."""
        session = await self.page.context.new_cdp_session(self.page)
        # Through the debugger, since the page's policy allows no script that is not its own.
        await session.send("Runtime.evaluate", {"expression": AXE_FILE_PATH.read_text()})
        answer = await session.send(
            "Runtime.evaluate", {"expression": "axe.run()", "awaitPromise": True, "returnByValue": True}
        )
        found: list[dict[str, Any]] = answer["result"]["value"]["violations"]
        return [
            f"{each['id']}: {[node['html'] for node in each['nodes']]}"
            for each in found
            if each["impact"] in ("serious", "critical")
        ]


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=OPTIONS)
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def visitor(browser: Browser, node: Node, **options: Any) -> AsyncIterator[Visitor]:
    context = await browser.new_context(**{"locale": "en-US", "viewport": {"width": 1280, "height": 800}} | options)
    try:
        yield Visitor(await context.new_page(), node)
    finally:
        await context.close()
