"""The account's own page, the forgotten password, and what a visitor chooses for all pages."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator

import pytest
from PIL import Image
from playwright.async_api import Browser, FilePayload

from tests.e2e.browser import Visitor, chromium, visitor
from tests.e2e.conftest import Node, until

pytestmark = pytest.mark.anyio
LEFT, RIGHT = (200, 30, 30), (30, 30, 200)
Colour = tuple[int, int, int]


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as opened:
        yield opened


def halves() -> FilePayload:
    """A wide picture, red on its left and blue on its right."""
    picture, out = Image.new("RGB", (800, 400), LEFT), io.BytesIO()
    picture.paste(RIGHT, (400, 0, 800, 400))
    picture.save(out, "PNG")
    return {"name": "halves.png", "mimeType": "image/png", "buffer": out.getvalue()}


async def middle(guest: Visitor, x: int = 256) -> str:
    """Which half is at that place of the cut, half way down."""
    red, *_ = await guest.page.evaluate(
        f"[...document.getElementById('crop').getContext('2d').getImageData({x}, 256, 1, 1).data]"
    )
    return "left" if red > 100 else "right"


async def chosen(guest: Visitor) -> None:
    await guest.page.set_input_files("#file", halves())
    await guest.page.wait_for_selector("#crop:visible")


async def zoom(guest: Visitor) -> float:
    return float(await guest.page.input_value("#zoom"))


async def drag(guest: Visitor, x: int) -> None:
    box = await guest.page.locator("#crop").bounding_box()
    assert box is not None
    across, down = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    await guest.page.mouse.move(across, down)
    await guest.page.mouse.down()
    await guest.page.mouse.move(across + x, down, steps=3)
    await guest.page.mouse.up()


async def test_a_picture_is_cut_out_by_mouse_and_by_keyboard(node: Node, browser: Browser) -> None:
    await node.user()
    async with visitor(browser, node) as owner:
        await owner.open("/profile")
        await owner.log_in("user1")
        await owner.page.set_input_files("#file", {"name": "a.png", "mimeType": "image/png", "buffer": b"no picture"})
        await owner.says("#file-trouble", "This picture cannot be used.")
        await chosen(owner)
        assert [await middle(owner, x) for x in (200, 300)] == ["left", "right"]
        await drag(owner, -60)
        assert await middle(owner, 200) == "right"
        await drag(owner, 120)
        assert await middle(owner, 300) == "left"
        await owner.page.mouse.wheel(0, -100)
        assert await zoom(owner) == pytest.approx(1.1)
        await owner.page.focus("#crop")
        for key in ("+", "+", "-", "ArrowLeft", "ArrowUp", *["ArrowRight"] * 30, "ArrowDown"):
            await owner.page.keyboard.press(key)
        assert await zoom(owner) == pytest.approx(1.21)
        assert [await middle(owner, x) for x in (10, 500)] == ["right", "right"]
        assert await owner.faults() == []
        await owner.picture("profile-cut")
        await owner.page.click("#cut [type=submit]")
        await owner.page.wait_for_selector("#portrait img")
        assert await owner.page.is_hidden("#cut")
        address = await owner.page.get_attribute("#portrait img", "src")
        taken = Image.open(io.BytesIO((await node.http.get(str(address))).content))
        colour = taken.convert("RGB").getpixel((256, 256))
        assert taken.size == (512, 512) and isinstance(colour, tuple) and colour[2] > 150
        await owner.page.fill("#names input", "Ann of the rivers")
        await owner.page.keyboard.press("Enter")
        await owner.says("#named", "Saved.")
        await owner.says("#who", "Ann of the rivers")
    assert owner.complaints == []


async def test_two_fingers_zoom_a_picture(node: Node, browser: Browser) -> None:
    await node.user()
    async with visitor(browser, node, has_touch=True, viewport={"width": 360, "height": 800}) as owner:
        await owner.open("/profile")
        await owner.log_in("user1")
        await chosen(owner)
        await owner.page.locator("#crop").scroll_into_view_if_needed()
        box = await owner.page.locator("#crop").bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        touch = await owner.page.context.new_cdp_session(owner.page)
        for kind, apart in (("touchStart", 40), ("touchMove", 60), ("touchMove", 80)):
            points = [{"x": x + side * apart, "y": y, "id": number} for number, side in enumerate((-1, 1))]
            await touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        await touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        assert await zoom(owner) == pytest.approx(2, abs=0.1)
        assert await owner.overflow() <= 0


async def test_an_account_is_deleted_and_every_login_ends(node: Node, browser: Browser) -> None:
    room = await node.room(liveRoomName="Rivers")
    async with visitor(browser, node) as owner, node.publisher(room.push) as publisher:
        await owner.open("/profile")
        await owner.log_in("user1")
        await owner.page.click("#everywhere")
        await owner.page.wait_for_selector("#stranger:visible")
        assert (await node.api("GetMyLiveRoomId", sessionId=room.session))["status"] == 10003
        await owner.log_in("user1")
        await owner.page.wait_for_selector("#delete-room:visible")
        await owner.picture("profile")
        await owner.page.fill("#delete [name=password]", "wrong-word")
        await owner.page.check("#delete [type=checkbox]")
        await owner.page.click("#delete [type=submit]")
        await owner.says("#delete .error", "Wrong password.")
        await owner.page.fill("#delete [name=password]", "secret-1")
        await owner.page.click("#delete [type=submit]")
        await owner.says("#gone", "Your account is deleted.")
        await publisher.closed(within=2)
        await until(lambda: no_cookie_is_left(owner))
        await owner.open(f"/room/{room.id}")
    assert (await node.api("Login", account="user1", password="secret-1"))["status"] == 10100
    assert [each for each in owner.complaints if "404" not in each] == []


async def test_a_forgotten_password_is_made_anew_by_keyboard(node: Node, browser: Browser) -> None:
    await node.user()
    async with visitor(browser, node) as holder:
        await holder.open("/")
        await holder.page.wait_for_selector("#login:visible")
        await holder.page.focus("#login")
        for key in ("Enter", *["Tab"] * 5, "Enter"):  # name, password, two buttons, register, forgot
            await holder.page.keyboard.press(key)
        await holder.page.wait_for_selector("#forgot-form:visible")
        await holder.page.keyboard.type("010-8888")
        await holder.page.keyboard.press("Tab")
        await holder.page.keyboard.type("brand-new")
        await holder.page.keyboard.press("Enter")
        await holder.says("#forgot-form .error", "Phone: 11 digits, or + and the country code.")
        await holder.page.fill("#forgot-form [name=phone]", "135 0000-0001")
        await holder.page.keyboard.press("Enter")
        await holder.says("#link-sent", "The link is on its way. It is good for ten minutes.")
        assert await holder.faults() == []
        await holder.picture("forgot")
        await node.logged("/confirm#")
        await holder.open(f"/confirm#{node.log.read_text().rpartition('/confirm#')[2].split()[0]}")
        await holder.says("#account", "user1")
        await holder.picture("confirm")
        await holder.page.fill("#new-password", "brand-new")
        await holder.page.keyboard.press("Enter")
        await holder.page.wait_for_selector("#log-in:focus")
        await holder.page.keyboard.press("Enter")
        await holder.page.keyboard.type("user1")
        await holder.page.keyboard.press("Tab")
        await holder.page.keyboard.type("brand-new")
        await holder.page.keyboard.press("Enter")
        await holder.page.wait_for_url("**/")
        await holder.says("#who", "user1")
        await holder.open("/confirm#nothing")
        await holder.says("#message", "This link has expired or was used already.")
        await holder.page.click("#ask-again")
        await holder.page.wait_for_selector("#forgot-form:visible")
    assert holder.complaints == []


async def test_theme_and_language_are_kept_and_there_from_the_first(node: Node, browser: Browser) -> None:
    async with visitor(browser, node) as guest:
        await guest.open("/")
        await guest.page.select_option("#theme", "dark")
        assert await ground(guest) == "rgb(17, 20, 24)"
        await guest.page.select_option("#language", "zh")
        await guest.says("h1", "正在直播")
        assert await guest.page.input_value("#theme") == "dark"
        await guest.page.route("**/common.js", lambda route: route.abort())
        await guest.open("/studio")
        assert await ground(guest) == "rgb(17, 20, 24)"
        await guest.page.unroute_all()
        await guest.open("/studio")
        await guest.says("h1", "直播室管理")
        await guest.page.select_option("#theme", "")
        assert await ground(guest) == "rgb(246, 247, 249)"
        await guest.page.emulate_media(color_scheme="dark")
        await until(lambda: is_dark(guest))
        assert await guest.faults() == []


async def no_cookie_is_left(guest: Visitor) -> bool:
    return await guest.page.context.cookies() == []


async def ground(guest: Visitor) -> str:
    return str(await guest.page.evaluate("getComputedStyle(document.body).backgroundColor"))


async def is_dark(guest: Visitor) -> bool:
    return await ground(guest) == "rgb(17, 20, 24)"
