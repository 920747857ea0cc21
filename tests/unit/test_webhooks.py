"""Webhooks, over a control that runs and an internet that stands in."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from control.settings import Settings
from control.storage.room_events import EventKind
from control.storage.tables import webhooks
from control.webhooks.courier import KEPT, LEASE, LONGEST, TRIED, Courier
from control.webhooks.posting import Poster
from tests.support import world
from tests.support.receiver import Receiver
from tests.support.stage import Stage, staged
from tests.support.world import Box

pytestmark = pytest.mark.anyio

URL = "https://app.example/hooks"
DAY = 86400


@dataclass
class Hooked:
    """A room, and a webhook of it."""

    stage: Stage
    id: int
    secret: str

    @property
    def box(self) -> Box:
        return self.stage.box

    @property
    def receiver(self) -> Receiver:
        return self.box.internet.receiver

    async def happens(self, *numbers: int, kind: EventKind = EventKind.REFUSED) -> None:
        for number in numbers:
            self.box.running.live.room_events.put(self.stage.id, kind, said=number)
        await self.box.running.live.room_events.flush()

    async def posts(self) -> None:
        await work(self.box.running.courier)

    async def later(self, seconds: float) -> None:
        self.box.clock.advance(seconds)
        await self.posts()

    async def now(self) -> dict[str, Any]:
        [mine] = (await self.stage.own("GetMyWebhooks"))["list"]
        return dict(mine)

    async def does(self, api: str, **fields: Any) -> dict[str, Any]:
        return await self.stage.own(api, webhookId=self.id, **fields)


async def work(courier: Courier) -> None:
    """Until nothing is due."""
    await courier.step()
    while courier._turns:
        await courier.rest()
        await courier.step()


async def hooked(box: Box, **fields: Any) -> Hooked:
    stage = await staged(box)
    made = await stage.own("AddWebhook", **({"url": URL} | fields))
    return Hooked(stage, made["webhookId"], made["secret"])


@pytest.fixture
async def hook(box: Box) -> Hooked:
    return await hooked(box)


async def test_each_event_is_posted_once_in_order_and_signed(hook: Hooked) -> None:
    await hook.happens(1, 2)
    await hook.posts()
    await hook.happens(3)
    await hook.posts()
    assert hook.receiver.told == [("publish.refused", number) for number in (1, 2, 3)]
    assert hook.receiver.verified(hook.secret)
    ids = [request.headers["webhook-id"] for request in hook.receiver.taken]
    assert ids == [f"evt_{hook.stage.id}_{number}" for number in (1, 2, 3)]


async def test_a_body_is_as_the_specification_has_it(hook: Hooked) -> None:
    await hook.happens(7)
    await hook.posts()
    assert hook.receiver.events == [
        {
            "type": "publish.refused",
            "timestamp": "2027-01-15T08:00:00.000Z",
            "data": {"liveRoomId": hook.stage.id, "number": 1, "said": 7},
        }
    ]
    [request] = hook.receiver.taken
    assert request.headers["host"] == "app.example"
    assert request.extensions["sni_hostname"] == "app.example"


async def test_of_a_receiver_that_was_down_for_an_hour_nothing_is_missed(hook: Hooked) -> None:
    hook.receiver.status = 503
    for number in range(60):
        await hook.happens(number)
        await hook.later(60)
    assert hook.receiver.taken == []
    assert len(hook.receiver.requests) < 20
    hook.receiver.status = 200
    await hook.later(LONGEST)
    assert hook.receiver.told == [("publish.refused", number) for number in range(1, 61)]
    hook.stage.session = (await hook.box.api("Login", account="owner1", password="secret-1"))["sessionId"]
    assert (await hook.now())["failures"] == 0


async def test_waits_double_up_to_an_hour(hook: Hooked) -> None:
    hook.receiver.status = 500
    await hook.happens(1)
    await hook.posts()
    waits = []
    for _ in range(14):
        mine = await hook.now()
        waits.append(round(mine["nextTime"] - hook.box.clock.now()))
        await hook.later(waits[-1])
    assert waits == [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600, 3600, 3600]


async def test_after_two_days_an_event_is_given_up_and_the_next_is_tried(hook: Hooked) -> None:
    hook.receiver.status = 500
    await hook.happens(1)
    await hook.posts()
    await hook.later(TRIED - 3600)
    await hook.happens(2)
    hook.receiver.status = 200
    await hook.later(2 * 3600)
    assert hook.receiver.told == [("publish.refused", 2)]


async def test_only_what_it_asks_for_is_posted(box: Box) -> None:
    hook = await hooked(box, events=["user.banned"])
    await hook.happens(1)
    await hook.happens(2, kind=EventKind.BANNED)
    await hook.happens(3)
    await hook.posts()
    assert hook.receiver.told == [("user.banned", 2)]
    assert (await hook.now())["position"] == 3


async def test_one_that_is_paused_gets_later_what_happened_meanwhile(hook: Hooked) -> None:
    await hook.does("EditWebhook", isPaused=1)
    await hook.happens(1, 2)
    await hook.later(10)
    assert hook.receiver.requests == []
    await hook.does("EditWebhook", isPaused=0)
    await hook.posts()
    assert [number for _, number in hook.receiver.told] == [1, 2]


async def test_a_replay_posts_again_under_the_same_ids(hook: Hooked) -> None:
    await hook.happens(1, 2, 3)
    await hook.posts()
    await hook.does("ReplayWebhook", after=1)
    await hook.posts()
    assert [number for _, number in hook.receiver.told] == [1, 2, 3, 2, 3]
    ids = [request.headers["webhook-id"] for request in hook.receiver.taken]
    assert ids[1:3] == ids[3:]


async def test_a_replay_may_skip_what_is_refused(hook: Hooked) -> None:
    hook.receiver.status = 422
    await hook.happens(1, 2)
    await hook.posts()
    hook.receiver.status = 200
    await hook.does("ReplayWebhook", after=1)
    await hook.posts()
    assert [number for _, number in hook.receiver.told] == [2]


async def test_a_test_is_posted_at_once_and_told(hook: Hooked) -> None:
    assert (await hook.does("TestWebhook"))["httpStatus"] == 204
    assert hook.receiver.told == [("webhook.test", 0)]
    assert hook.receiver.verified(hook.secret)
    hook.receiver.status = 404
    told = await hook.does("TestWebhook")
    assert (told["httpStatus"], told["failure"]) == (404, "HTTP 404")


async def test_tests_have_a_pace(hook: Hooked) -> None:
    for _ in range(10):
        await hook.does("TestWebhook")
    refused = await hook.box.api("TestWebhook", sessionId=hook.stage.session, webhookId=hook.id)
    assert refused["desc"] == "参数错误: 操作过于频繁"
    assert len(hook.receiver.requests) == 10


async def test_attempts_are_kept_the_last_hundred(hook: Hooked) -> None:
    hook.receiver.status = 500
    await hook.happens(1)
    await hook.posts()
    hook.receiver.status = 204
    await hook.happens(*range(KEPT + 20))
    await hook.later(5)
    log = (await hook.does("GetWebhookDeliveries", count=100))["list"]
    assert [each["number"] for each in log] == list(range(KEPT + 21, 21, -1))
    hook.receiver.status = 500
    await hook.happens(1)
    await hook.posts()
    [last] = (await hook.does("GetWebhookDeliveries", count=1))["list"]
    assert (last["httpStatus"], last["failure"], last["type"]) == (500, "HTTP 500", "publish.refused")


async def test_one_that_answers_gone_is_paused(hook: Hooked) -> None:
    hook.receiver.status = 410
    await hook.happens(1)
    await hook.posts()
    assert (await hook.now())["isPaused"] == 1


async def test_a_redirect_is_not_followed(hook: Hooked) -> None:
    hook.receiver.status, hook.receiver.headers = 307, {"Location": "https://10.0.0.1/"}
    assert (await hook.does("TestWebhook"))["failure"] == "HTTP 307"
    assert len(hook.receiver.requests) == 1


PRIVATE = ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "fd00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "0.0.0.0"]


@pytest.mark.parametrize("address", [*PRIVATE, "224.0.0.1", "2002:a00:1::", "fe80::1%eth0"])
async def test_a_name_that_leads_to_a_private_address_is_not_connected_to(hook: Hooked, address: str) -> None:
    hook.box.internet.hosts["app.example"] = [address]
    inside = hook.box.internet.receivers[address] = Receiver()
    assert (await hook.does("TestWebhook"))["failure"] == "a private address"
    assert inside.requests == []


@pytest.mark.parametrize("address", PRIVATE)
async def test_a_private_address_is_refused_as_a_url(stage: Stage, address: str) -> None:
    host = f"[{address}]" if ":" in address else address
    refused = await stage.box.api("AddWebhook", sessionId=stage.session, url=f"https://{host}/hooks")
    assert refused["desc"] == "参数错误: url (a private address)"


async def test_where_settings_allow_it_private_addresses_are_posted_to(settings: Settings) -> None:
    async with world.box(replace(settings, webhook_private="on")) as box:
        inside = box.internet.receivers["10.0.0.1"] = Receiver()
        box.internet.hosts["10.0.0.1"] = ["10.0.0.1"]
        hook = await hooked(box, url="http://10.0.0.1:8000/hooks")
        await hook.happens(1)
        await hook.posts()
        assert inside.told == [("publish.refused", 1)]
        assert inside.taken[0].headers["host"] == "10.0.0.1:8000"


FAILURES: list[tuple[Exception, str]] = [
    (httpx.ConnectError("refused"), "not reached"),
    (httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] …"), "its certificate is not valid"),
    (httpx.ReadTimeout("…"), "no answer in time"),
    (httpx.RemoteProtocolError("…"), "the connection broke"),
]


@pytest.mark.parametrize(("failing", "said"), FAILURES)
async def test_why_it_failed_is_told_in_words(hook: Hooked, failing: Exception, said: str) -> None:
    hook.receiver.failing = failing
    told = await hook.does("TestWebhook")
    assert (told["httpStatus"], told["failure"]) == (0, said)


async def test_a_name_that_leads_nowhere_is_told(hook: Hooked) -> None:
    hook.box.internet.hosts.clear()
    assert (await hook.does("TestWebhook"))["failure"] == "no such host"


async def test_its_secret_is_sealed_and_not_told_again(hook: Hooked) -> None:
    [row] = await hook.box.running.store.fetch_all(webhooks.select())
    assert hook.secret.removeprefix("whsec_") not in str(tuple(row))
    assert "secret" not in await hook.now()


async def test_of_two_nodes_one_posts_and_the_other_goes_on_where_it_ended(hook: Hooked) -> None:
    mine = hook.box.running.courier
    other = Courier(
        store=mine._store,
        events=mine._events,
        vault=mine._vault,
        poster=Poster(hook.box.internet, False, hook.box.clock),
        clock=hook.box.clock,
        wait=5,
    )
    await hook.happens(1)
    assert len(await mine._claimed([hook.id])) == 1  # and it ends
    await work(other)
    assert hook.receiver.requests == []
    hook.box.clock.advance(LEASE)
    await work(other)
    assert [number for _, number in hook.receiver.told] == [1]


async def test_what_is_being_posted_is_broken_off_at_the_end_and_done_by_the_next(hook: Hooked) -> None:
    begun = asyncio.Event()

    async def hang(host: str, port: int) -> list[str]:
        begun.set()
        await asyncio.Event().wait()
        return []

    courier, internet = hook.box.running.courier, hook.box.internet
    usual, internet.addresses = internet.addresses, hang  # type: ignore[method-assign]
    await hook.happens(1)
    await courier.step()
    await begun.wait()
    await courier.close()
    internet.addresses = usual  # type: ignore[method-assign]
    await hook.posts()
    assert [number for _, number in hook.receiver.told] == [1]


async def test_a_new_one_is_told_of_what_happens_from_then_on(box: Box) -> None:
    stage = await staged(box)
    box.running.live.room_events.put(stage.id, EventKind.REFUSED)
    await box.running.live.room_events.flush()
    made = await stage.own("AddWebhook", url=URL)
    hook = Hooked(stage, made["webhookId"], made["secret"])
    await hook.happens(2)
    await hook.posts()
    assert [number for _, number in hook.receiver.told] == [2]


async def test_one_that_is_removed_while_it_is_posted_to_is_gone(hook: Hooked) -> None:
    await hook.happens(1)
    turns = await hook.box.running.courier._claimed([hook.id])
    await hook.does("RemoveWebhook")
    for turn in turns:
        await hook.box.running.courier._take(turn)
    assert (await hook.stage.own("GetMyWebhooks"))["list"] == []


async def test_one_that_its_owner_moves_while_it_is_posted_to_stays_there(hook: Hooked) -> None:
    await hook.happens(1, 2, 3)
    await hook.posts()
    await hook.happens(4)
    turns = await hook.box.running.courier._claimed([hook.id])
    await hook.does("ReplayWebhook", after=1)
    for turn in turns:
        await hook.box.running.courier._take(turn)
    assert (await hook.now())["position"] == 1


async def test_a_secret_is_sealed_with_the_newest_key_and_still_signs(settings: Settings) -> None:
    async with world.box(settings) as before:
        hook = await hooked(before)
    path = settings.data_dir / "keys" / "rooms"
    path.write_text(f"k2 {'x' * 64}\n{path.read_text()}")
    async with world.box(settings, clock=before.clock) as after:
        hook.stage.box = after
        await after.running.live.resealing.step()
        [row] = await after.running.store.fetch_all(webhooks.select())
        assert row["secret"].startswith("$k2$")
        await hook.happens(1)
        await hook.posts()
        assert hook.receiver.verified(hook.secret)
