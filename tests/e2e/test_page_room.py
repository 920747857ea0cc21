"""What is under a room's player and over its picture, and what is said where there is none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser

from tests.e2e.browser import Visitor, chromium, visitor
from tests.e2e.conftest import Node, Room, until
from tests.e2e.encoders import encoder

pytestmark = pytest.mark.anyio

FLYING = "[...document.querySelectorAll('#danmaku bdi')].map(line => line.textContent)"


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as opened:
        yield opened


async def enters(who: Visitor, room: Room, account: str) -> None:
    await who.open(f"/room/{room.id}")
    await who.log_in(account)


async def test_a_room_is_shared_followed_and_remembered(node: Node, browser: Browser) -> None:
    room = await node.room(liveRoomName="Rivers", liveRoomTopic="The north", liveRoomDesc="One line\nand another")
    await node.user(2)
    async with visitor(browser, node) as viewer:
        async with encoder(f"{node.rtmp}/{room.push}"):
            await enters(viewer, room, "user2")
            await viewer.watched(1)
            await shares(viewer, node, room)
            await flies(viewer, node, room)
            await viewer.picture("room-live")
        await viewer.says("#message", "Off air. It starts by itself when the anchor goes live.")
        await viewer.page.wait_for_selector("#past-list li:has-text('at most 1 watching')", timeout=25000)
        await viewer.page.wait_for_selector("#last-on-air:has-text('Last on air:')")
        await viewer.page.click("#follow")
        await viewer.says("#follow", "Unfollow")
        await viewer.page.wait_for_selector("#follow-hint", state="hidden")
        assert await viewer.faults() == []
        await viewer.picture("room-off-air")
        assert await viewer.overflow() <= 0
    assert viewer.complaints == [] or all("404" in each or "403" in each for each in viewer.complaints)


async def shares(viewer: Visitor, node: Node, room: Room) -> None:
    page = viewer.page
    await page.click("#share-button")
    assert await page.input_value("#share-link") == f"http://127.0.0.1:{node.settings.http_port}/room/{room.id}"
    await page.wait_for_function("() => document.getElementById('share-code').naturalWidth > 100")
    assert await page.input_value("#rtmp-address") == ""
    await page.click("#others summary")
    await page.wait_for_selector("#addresses:visible")
    rtmp, hls = await page.input_value("#rtmp-address"), await page.input_value("#hls-address")
    assert rtmp.startswith(f"{node.rtmp}/{room.id}?ticket=")
    assert hls.endswith(f"/{room.id}/index.m3u8")
    async with node.player(rtmp.removeprefix(f"{node.rtmp}/")):
        pass
    await page.click("#rtmp-address + .copy")
    await viewer.says("#share-done", "Copied")
    assert await viewer.faults() == []
    await viewer.picture("room-share")
    await page.click("#share .close")
    await page.wait_for_function("() => document.querySelector('#rtmp-address').value === ''")
    assert await page.input_value("#hls-address") == ""
    assert "ticket" not in page.url


async def flies(viewer: Visitor, node: Node, room: Room) -> None:
    """The chat over the picture, where it is wanted: not too much of it, nor what was deleted."""
    page = viewer.page

    async def say(text: str) -> int:
        said = {"sessionId": room.session, "liveRoomId": room.id, "text": text}
        return int((await node.api("SendRoomMessage", **said))["number"])

    await say("unseen")
    await page.wait_for_selector("#lines:has-text('unseen')")
    assert await page.evaluate(FLYING) == []
    await page.hover("#video")  # else the controls rest, and nobody can click them
    await page.click("#danmaku-switch")
    await page.wait_for_selector("#danmaku-switch[aria-pressed=true]")
    number = await say("<b>hello</b>")
    await page.wait_for_selector("#danmaku bdi:has-text('<b>hello</b>')")
    await page.screenshot(path="var/screenshots/room-danmaku.png")
    await node.api("DeleteRoomMessage", sessionId=room.session, liveRoomId=room.id, number=number)
    await page.wait_for_selector("#danmaku bdi", state="detached")
    assert await page.evaluate("localStorage.getItem('danmaku')") == "1"
    await page.emulate_media(reduced_motion="reduce")
    await page.wait_for_selector("#danmaku-switch", state="hidden")
    await say("still")
    await page.wait_for_selector("#lines:has-text('still')")
    assert await page.evaluate(FLYING) == []
    await page.emulate_media(reduced_motion="no-preference")


async def test_what_cannot_be_watched_says_why(node: Node, browser: Browser) -> None:
    private = await node.room(liveRoomName="Lakes", liveRoomUserPwd="open-sesame")
    await node.user(2)
    async with visitor(browser, node) as viewer, encoder(f"{node.rtmp}/{private.push}"):
        page = viewer.page
        await viewer.open("/room/1999999")
        await page.wait_for_selector("#gone:has-text('There is no such room.')")
        assert not await page.is_visible("#video")
        assert await viewer.faults() == []
        await viewer.picture("room-gone")
        await enters(viewer, private, "user2")
        await page.wait_for_selector("#password:visible")
        assert not await page.is_visible("#controls")
        await page.click("#share-button")
        await page.click("#others summary")
        await page.wait_for_selector("#no-address:visible")
        await page.click("#share .close")
        await page.fill("#password input", "open-sesame")
        await page.click("#password [type=submit]")
        await viewer.watched(0.5)
        [listed] = (await node.api("GetRoomPlayers", sessionId=private.session, liveRoomId=private.id))["list"]
        kicked = {"liveRoomId": private.id, "playerId": listed["playerId"]}
        await node.api("KickPlayer", sessionId=private.session, **kicked)
        await viewer.says("#message", "You were taken out of this room, or it has another viewing password now.")
        assert await page.is_visible("#password")


async def test_a_guest_watches_a_public_room_until_it_is_one_no_more(node: Node, browser: Browser) -> None:
    room = await node.room(liveRoomName="Rivers")
    async with visitor(browser, node) as owner, visitor(browser, node) as guest, encoder(f"{node.rtmp}/{room.push}"):
        await guest.open(f"/room/{room.id}")
        await guest.says("#message", "Log in to watch.")
        await owner.open("/studio")
        await owner.log_in("user1")
        await owner.page.check("#is-public")
        await owner.says("#kind", "Open: everybody may watch, without an account too")
        await owner.page.click("#modify [type=submit]")
        await owner.page.wait_for_selector("#saved:has-text('Saved.')")
        await guest.page.reload()
        await guest.watched(1)
        await owner.page.wait_for_selector("#viewers li:has-text('Guest · HLS')")
        await guest.page.reload()
        await guest.watched(1)
        await asyncio.sleep(1)

        async def counted() -> bool:
            return await node.players(room) == 1

        await until(counted)  # opened anew it is the same viewer
        await owner.picture("studio-public")
        await owner.page.click("#viewers li button:has-text('Throw out')")
        await guest.says("#message", "You were taken out of this room, or your ticket has ended.")
        await guest.page.click("#again")
        await guest.says("#message", "You may not watch this room as a guest for now.")
        await owner.page.uncheck("#is-public")
        await owner.page.click("#modify [type=submit]")
        await guest.page.reload()
        await guest.says("#message", "Log in to watch.")
        assert await guest.faults() == []
