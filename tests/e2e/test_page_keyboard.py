"""Every page by the Tab key: all of it is reached, what has the focus is seen, and dialogs give it back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from tests.e2e.browser import Visitor, chromium, visitor
from tests.e2e.conftest import Node, Room

pytestmark = pytest.mark.anyio

MOST = 120  # stops of one page
CHANGE = "#passwords li:first-child button:last-child"
# Whatever Tab should stop at now; behind a dialog nothing is.
REACHABLE = """
window.reachable = () => {
  const place = document.querySelector("dialog[open]") ?? document;
  const all = place.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']");
  const shown = (each) => each.checkVisibility({ visibilityProperty: true });
  return [...all].filter((each) => !each.disabled && each.tabIndex >= 0 && shown(each));
};
window.stop = () => {
  const focused = document.activeElement;
  if (!focused || focused === document.body || focused.tagName === "DIALOG") return null;
  const shown = focused.type === "file" ? focused.closest("label") : focused;
  const style = getComputedStyle(shown), box = shown.getBoundingClientRect();
  const inside = box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth;
  return {
    what: focused.outerHTML.slice(0, 120),
    number: window.reachable().indexOf(focused),
    seen: inside && style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
  };
};
"""


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as opened:
        yield opened


async def stops(page: Page) -> list[dict[str, Any]]:
    """Where Tab stops, from here on until it leaves the page."""
    found: list[dict[str, Any]] = []
    for _ in range(MOST):
        await page.keyboard.press("Tab")
        stop: dict[str, Any] | None = await page.evaluate("window.stop()")
        if stop is None:
            return found
        found.append(stop)
    raise AssertionError(f"no end after {found[-3:]}")


async def walk(who: Visitor, path: str, shown: str) -> None:
    await who.open(path)
    await who.page.wait_for_selector(shown)
    found = await stops(who.page)
    assert [stop["what"] for stop in found if not stop["seen"]] == []
    missed = await who.page.evaluate(
        "seen => window.reachable().filter((_, at) => !seen.includes(at)).map((each) => each.outerHTML.slice(0, 120))",
        [stop["number"] for stop in found],
    )
    assert missed == []


async def opens_and_closes(page: Page, opener: str, dialog: str) -> None:
    await page.wait_for_selector(opener)  # one that is hidden still takes no focus
    await page.focus(opener)
    await page.keyboard.press("Enter")
    await page.wait_for_selector(f"{dialog}[open]")
    assert await page.evaluate(f"document.querySelector('{dialog}').contains(document.activeElement)")
    assert [stop["what"] for stop in await stops(page) if not stop["seen"] or stop["number"] < 0] == []
    await page.keyboard.press("Escape")
    await page.wait_for_selector(f"{dialog}[open]", state="detached")
    assert await focused(page, opener)


async def test_tab_reaches_all_of_every_page_and_leaves_it_again(node: Node, browser: Browser) -> None:
    room, other = await node.room(liveRoomName="Rivers"), await node.room(liveRoomName="Lakes")
    await node.api("FollowLiveRoom", sessionId=room.session, liveRoomId=other.id, isFollow=1)
    async with visitor(browser, node) as owner, node.publisher(room.push), node.player(room.play):
        page = owner.page
        await page.add_init_script(REACHABLE)
        await owner.open("/")
        await opens_and_closes(page, "#login", "#session")
        await owner.log_in("user1")
        await walk(owner, "/", "#rooms a >> nth=0")
        await walk(owner, f"/room/{room.id}", "#write:visible")
        await opens_and_closes(page, "#share-button", "#share")
        await walk(owner, f"/assist/{room.id}", "#viewers button")
        await walk(owner, "/profile", "#logins li")
        await walk(owner, "/studio", "#viewers button")
        await opens_and_closes(page, CHANGE, "#new-pwd")
        await keeps_order(page, node, room)
        assert [each for each in owner.complaints if "404" not in each] == []


async def keeps_order(page: Page, node: Node, room: Room) -> None:
    """What has the focus keeps it while lists change, and where it goes the next one has it."""
    await page.focus("#viewers button")
    async with node.player(room.play):
        await page.wait_for_selector("#viewers li >> nth=1")
        assert await focused(page, "#viewers li:first-child button")
        await page.keyboard.press("Enter")
        await page.wait_for_selector("#viewers li >> nth=1", state="detached")
        await page.wait_for_function("document.activeElement === document.querySelector('#viewers button')")
    await page.focus(CHANGE)
    await page.keyboard.press("Enter")
    await page.keyboard.type("another-one")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#changed:has-text('Saved.')")
    await page.wait_for_function(f"document.activeElement === document.querySelector('{CHANGE}')")


async def focused(page: Page, selector: str) -> bool:
    return bool(await page.evaluate(f"document.activeElement === document.querySelector('{selector}')"))
