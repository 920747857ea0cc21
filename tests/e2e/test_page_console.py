"""An operator sees a real push, why it is live, and ends it."""

from __future__ import annotations

import asyncio
import json
import subprocess
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest

from control.settings import to_env
from tests.e2e.browser import WIDTHS, chromium, visitor
from tests.e2e.conftest import Node, until

pytestmark = pytest.mark.anyio


async def secret_of(node: Node, account: str) -> str:
    """As `qplus operator add` shows it."""
    command = [*node.program, "operator", "add", account, "--json"]
    env = node.env | to_env(node.settings)
    ended = await asyncio.to_thread(subprocess.run, command, env=env, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    uri: str = json.loads(ended.stdout)["uri"]
    return parse_qs(urlsplit(uri).query)["secret"][0]


async def test_an_operator_sees_a_push_its_figures_and_why_it_is_live(node: Node) -> None:
    room = await node.room(liveRoomName="the room")
    secret = await secret_of(node, "user1")
    async with node.publisher(room.push) as publisher, node.player(room.play), chromium() as browser:
        await node.counted(room, 1, within=5)
        async with visitor(browser, node) as guest:
            page = guest.page
            await guest.open("/console")
            await guest.log_in("user1")
            await page.fill("input[name=code]", pyotp.TOTP(secret).now())
            await page.press("input[name=code]", "Enter")
            await page.wait_for_selector("#live tr")
            row = await page.inner_text("#live tr")
            assert "the room" in row and "127.0.0.1" in row
            await page.wait_for_selector("#plots canvas", timeout=40_000)  # two figures, one every ten seconds
            await page.click("#live button")
            await page.wait_for_selector("#one:visible")

            async def explained() -> bool:
                await page.click("#live button")
                return "publisher" in await page.inner_text("#why")

            await until(explained)
            story = await page.inner_text("#story")
            assert "came from 127.0.0.1" in story and "sends media" in story
            await guest.picture("console")
            assert await guest.faults() == []
            for width in WIDTHS:
                await page.set_viewport_size({"width": width, "height": 800})
                assert await guest.overflow() == 0
            page.on("dialog", lambda dialog: asyncio.ensure_future(dialog.accept()))
            await page.click("#actions button:first-child")
            await publisher.closed()
            await page.wait_for_selector("#audit >> text=end-broadcast")
            await page.click("#leave")
            await page.wait_for_selector("#enter:visible")
