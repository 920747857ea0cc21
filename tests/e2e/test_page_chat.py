"""The chat of a room's page, as people use it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser

from tests.e2e.browser import Visitor, chromium, visitor
from tests.e2e.conftest import Node, Room, until

pytestmark = pytest.mark.anyio

MARKUP = "<img src=x onerror=\"document.title='broken'\"> &amp; ‮txet"


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as opened:
        yield opened


async def says(who: Visitor, text: str) -> None:
    await who.page.fill("#write [name=text]", text)
    await who.page.keyboard.press("Enter")


async def reads(who: Visitor, *lines: str) -> None:
    """Waits until these are the lines, each as the name and the text."""

    async def shown() -> bool:
        found = await who.page.eval_on_selector_all(
            "#lines p",
            "lines => lines.map(line => [...line.querySelectorAll('bdi')].map(e => e.textContent).join(': '))",
        )
        return bool(found == list(lines))

    await until(shown, 5)


async def enters(who: Visitor, room: Room, account: str) -> None:
    await who.open(f"/room/{room.id}")
    await who.says("#chat-closed", "Log in to chat.")
    await who.log_in(account)
    await who.page.wait_for_selector("#write:visible")


async def test_two_talk_and_the_owner_keeps_order(node: Node, browser: Browser) -> None:
    room = await node.room(liveRoomName="Rivers")
    await node.user(2)
    async with visitor(browser, node) as owner, visitor(browser, node) as guest:
        await enters(owner, room, "user1")
        await enters(guest, room, "user2")
        await says(guest, "hello")
        await reads(owner, "user2: hello")
        await says(owner, MARKUP)
        await reads(guest, "user2: hello", f"user1: {MARKUP}")
        assert await guest.page.title() == "Rivers · QPlus"
        assert not await guest.page.is_visible("#lines .more")
        await owner.page.click("#lines p:has-text('hello') .more")
        assert await owner.faults() == []
        await owner.picture("room-chat-owner")
        await owner.page.click("#lines p:has-text('hello') button:has-text('Delete')")
        await reads(guest, "user2: (deleted)", f"user1: {MARKUP}")
        await says(guest, "spam, spam")
        await owner.page.click("#lines p:has-text('spam') .more")
        await owner.page.click("#lines p:has-text('spam') button:has-text('Mute')")
        await owner.page.wait_for_selector("#chat-done:has-text('Mute for ten minutes: user2')")
        await says(guest, "mmm")
        await guest.says("#write .error", "You are muted here for a time.")
        await owner.page.click("#rules-box summary")
        await owner.page.click("#muted button")
        await owner.page.wait_for_selector("#muted-title", state="hidden")
        await owner.page.fill("#rules [name=slowSeconds]", "30")
        await owner.page.fill("#rules [name=mutedWords]", "Spam\nham")
        await owner.page.click("#rules [type=submit]")
        await guest.says("#slow", "Slow mode: one message in 30 s")
        await says(guest, "more SPAM")
        await guest.says("#write .error", "This message cannot be sent.")
        assert await guest.faults() == []
        await guest.picture("room-chat")
        for width in (360, 1920):
            await guest.page.set_viewport_size({"width": width, "height": 800})
            assert await guest.overflow() <= 0
    assert owner.complaints + guest.complaints == []


async def test_who_comes_later_reads_what_was_said_and_the_end_stays_in_sight(node: Node, browser: Browser) -> None:
    room = await node.room()
    for number in range(2, 14):
        session = await node.user(number)
        for line in range(5):
            told = {"liveRoomId": room.id, "text": f"line {line} of {number}"}
            assert (await node.api("SendRoomMessage", sessionId=session, **told))["status"] == 10000
    async with visitor(browser, node, viewport={"width": 1280, "height": 500}) as late:
        await enters(late, room, "user3")
        assert await late.page.locator("#lines p").count() == 50
        await late.page.evaluate("document.getElementById('lines').scrollTop = 0")
        await node.api("SendRoomMessage", sessionId=room.session, liveRoomId=room.id, text="new")
        await late.page.click("#newest")
        await late.page.wait_for_selector("#newest", state="hidden")
        assert await late.page.locator("#lines p").count() == 51
    assert late.complaints == []


async def test_a_private_rooms_chat_opens_with_its_password(node: Node, browser: Browser) -> None:
    room = await node.room(liveRoomUserPwd="open-sesame")
    await node.user(2)
    async with visitor(browser, node) as guest, node.publisher(room.push):
        await guest.open(f"/room/{room.id}")
        await guest.log_in("user2")
        await guest.says("#chat-closed", "The chat is for those who may watch.")
        await guest.page.fill("#password input", "open-sesame")
        await guest.page.click("#password [type=submit]")
        await guest.page.wait_for_selector("#write:visible")
        await says(guest, "at last")
        await reads(guest, "user2: at last")
        await node.api("BanUser", sessionId=room.session, liveRoomId=room.id, userId=2, status=1)
        await node.api("SendRoomMessage", sessionId=room.session, liveRoomId=room.id, text="he is gone")
        await guest.page.wait_for_selector("#write", state="hidden")
        assert await guest.page.locator("#lines p").count() == 0


async def test_an_assistant_keeps_order_in_a_private_room(node: Node, browser: Browser) -> None:
    room = await node.room(liveRoomName="Rivers", liveRoomUserPwd="for-friends")
    await node.user(2)
    asked = {"sessionId": room.session}
    password = (await node.api("GetMyLiveRoom", **asked))["liveRoomAssistPwd"]
    async with visitor(browser, node) as assistant:
        await assistant.open(f"/assist/{room.id}")
        await assistant.page.click("#log-in")
        form = assistant.page.locator("#login-form")
        await form.locator("[name=account]").fill("user2")
        await form.locator("[name=password]").fill("secret-1")
        await form.locator("[type=submit]").click()
        await assistant.page.fill("#password input", "not this one")
        await assistant.page.keyboard.press("Enter")
        await assistant.page.wait_for_selector("#password .error:has-text('not the assistant')")
        await assistant.page.fill("#password input", password)
        await assistant.page.keyboard.press("Enter")
        await assistant.says("#name", "Assistants: Rivers")
        await node.api("SendRoomMessage", **asked, liveRoomId=room.id, text="hello")
        await reads(assistant, "user1: hello")
        await assistant.page.reload()  # the browser has kept the password
        await reads(assistant, "user1: hello")
        async with node.publisher(room.push), node.player(room.play):
            await assistant.says("#state", "Live")
            await assistant.page.wait_for_selector("#viewers li:has-text('RTMP')")
            assert await assistant.faults() == []
            await assistant.picture("assist")
            await assistant.page.click("#viewers li button:has-text('Throw out')")
            await assistant.page.wait_for_selector("#nobody:visible")
            await node.api("SendRoomMessage", **asked, liveRoomId=room.id, text="again")
            await assistant.page.click("#lines p:has-text('again') .more")
            await assistant.page.click("#lines p:has-text('again') button:has-text('Delete')")
            await reads(assistant, "user1: (deleted)")
        assert password not in assistant.page.url
        await assistant.open("/assist/999")
        await assistant.page.wait_for_selector("#no-room:visible")
    assert [each for each in assistant.complaints if "404" not in each] == []
