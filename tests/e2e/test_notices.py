"""A browser is told that a room is live, by way of a push service that stands in: none can be reached from a test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from playwright.async_api import Browser
from starlette.requests import Request
from starlette.responses import Response

from control.notices.push_encryption import CURVE, encoded, raw
from tests.e2e.browser import Visitor, chromium, visitor
from tests.e2e.conftest import Node, until
from tests.e2e.test_webhooks import Receiver
from tests.unit.test_push_encryption import opened

pytestmark = pytest.mark.anyio
AUTH = bytes(range(16))
SUBSCRIBED = """
(() => {
  let made = null;
  const fake = ({ applicationServerKey }) => (made = {
    endpoint: "ENDPOINT",
    applicationServerKey,
    toJSON: () => ({ endpoint: "ENDPOINT", keys: { p256dh: "P256DH", auth: "AUTH" } }),
    unsubscribe: async () => { made = null; return true; },
  });
  PushManager.prototype.subscribe = async (options) => fake(options);
  PushManager.prototype.getSubscription = async () => made;
})();
"""


class PushService(Receiver):
    def __init__(self) -> None:
        super().__init__()
        self.key = ec.generate_private_key(CURVE)
        self.read: list[dict[str, Any]] = []

    async def _take(self, request: Request) -> Response:
        assert request.headers["authorization"].startswith("vapid t=")
        self.read.append(orjson.loads(opened(await request.body(), self.key, AUTH)))
        return Response(status_code=201)

    @property
    def script(self) -> str:
        """What has a browser subscribe here, which it would do at its maker's."""
        keys = {"P256DH": encoded(raw(self.key.public_key())), "AUTH": encoded(AUTH), "ENDPOINT": self.url}
        script = SUBSCRIBED
        for name, value in keys.items():
            script = script.replace(f'"{name}"', f'"{value}"')
        return script


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as started:
        yield started


@pytest.mark.parametrize("options", [{"webhook_private": "on"}], ids=["trusted"])
async def test_a_browser_shows_that_a_room_is_live(node: Node, browser: Browser) -> None:
    room, service = await node.room(), PushService()
    session = await node.user()
    await node.api("FollowLiveRoom", sessionId=session, liveRoomId=room.id, isFollow=1)
    async with visitor(browser, node, permissions=["notifications"]) as follower, service.up():
        await follower.page.add_init_script(service.script)
        await follower.open("/profile")
        await follower.log_in("user2")
        await follower.page.click("#by-push")
        await until(lambda: browsers(node, session, 1))
        assert await follower.faults() == []
        async with node.publisher(room.push):
            await until(lambda: some(service.read), 20)
        [told] = service.read
        assert (told["room"], told["anchor"]) == (room.id, "user1")
        assert await shown(follower, told) == [("user1 is live", "a room", f"/room/{room.id}")]
        await follower.page.click("#by-push")
        await until(lambda: browsers(node, session, 0))
    assert follower.complaints == []


async def some(read: list[dict[str, Any]]) -> bool:
    return bool(read)


async def browsers(node: Node, session: str, number: int) -> bool:
    return bool((await node.api("GetMyNotices", sessionId=session))["browserCount"] == number)


async def shown(follower: Visitor, told: dict[str, Any]) -> list[tuple[str, str, str]]:
    """What the worker makes of it, twice."""
    page = follower.page
    protocol = await page.context.new_cdp_session(page)
    registrations: list[dict[str, Any]] = []
    protocol.on("ServiceWorker.workerRegistrationUpdated", lambda each: registrations.extend(each["registrations"]))
    await protocol.send("ServiceWorker.enable")
    await until(lambda: some(registrations))
    origin = page.url.removesuffix("/profile")
    for _ in range(2):
        await protocol.send(
            "ServiceWorker.deliverPushMessage",
            {
                "origin": origin,
                "registrationId": registrations[-1]["registrationId"],
                "data": orjson.dumps(told).decode(),
            },
        )
    script = """async () => (await (await navigator.serviceWorker.getRegistration("/static/worker.js"))
        .getNotifications()).map((each) => [each.title, each.body, each.data])"""

    async def notified() -> Any:
        return await page.evaluate(script)

    return [tuple(each) for each in await until(notified)]
