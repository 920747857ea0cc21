"""Followers are told, once for each broadcast, by the ways that they chose."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from control.live.broadcast_events import CERTAIN
from control.notices import herald as module
from control.notices.herald import KEPT, STALE
from control.notices.push_encryption import CURVE, decoded, encoded, raw
from control.refusals import NotSent
from control.settings import Settings
from control.storage.tables import notices, push_keys, push_subscriptions
from tests.support import world
from tests.support.people import Person, crowd, go_live, go_off, person
from tests.support.receiver import PUBLIC, Receiver
from tests.support.world import Box
from tests.unit.test_push_encryption import opened

pytestmark = pytest.mark.anyio

AUTH = encoded(bytes(range(16)))


class Follower:
    """A user, and a browser of theirs."""

    def __init__(self, who: Person, number: int = 1) -> None:
        self.who, self.key = who, ec.derive_private_key(1000 + number, CURVE)
        self.endpoint = f"https://app.example/push/{number}"

    async def subscribes(self) -> None:
        public_key = encoded(raw(self.key.public_key()))
        await self.who.does("AddPushSubscription", endpoint=self.endpoint, p256dh=public_key, auth=AUTH)

    def read(self, receiver: Receiver) -> list[dict[str, Any]]:
        mine = [each for each in receiver.taken if str(each.url).endswith(self.endpoint.rpartition("/")[2])]
        return [orjson.loads(opened(each.content, self.key, decoded(AUTH))) for each in mine]


@pytest.fixture
async def ann(box: Box) -> Person:
    return await person(box)


@pytest.fixture
async def room(ann: Person) -> dict[str, Any]:
    return await ann.opens("Ann's garden")


@pytest.fixture
async def bob(box: Box, room: dict[str, Any]) -> Follower:
    return await follower(box, room, await person(box, "bob", 2))


async def follower(box: Box, room: dict[str, Any], who: Person, number: int = 1) -> Follower:
    await who.does("FollowLiveRoom", liveRoomId=room["liveRoomId"], isFollow=1)
    return Follower(who, number)


async def begins(box: Box, room: dict[str, Any]) -> None:
    await go_live(box, room)
    await herald(box, CERTAIN)


async def herald(box: Box, seconds: float = 0) -> None:
    box.clock.advance(seconds)
    await box.running.herald.step()


async def test_a_browser_is_told_that_a_room_is_live(box: Box, room: dict[str, Any], bob: Follower) -> None:
    await bob.subscribes()
    began = int(box.clock.now())
    await begins(box, room)
    told = {"room": room["liveRoomId"], "name": "Ann's garden", "anchor": "ann", "started": began}
    assert bob.read(box.internet.receiver) == [told]


async def test_a_push_service_knows_who_pushes(box: Box, room: dict[str, Any], bob: Follower) -> None:
    await bob.subscribes()
    await begins(box, room)
    [request] = box.internet.receiver.taken
    token, public = request.headers["authorization"].removeprefix("vapid t=").split(", k=")
    assert public == (await bob.who.does("GetMyNotices"))["pushKey"]
    said, _, signature = token.rpartition(".")
    r, s = (int.from_bytes(decoded(signature)[at : at + 32], "big") for at in (0, 32))
    key = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, decoded(public))
    key.verify(encode_dss_signature(r, s), said.encode(), ec.ECDSA(SHA256()))
    claims = orjson.loads(decoded(said.partition(".")[2]))
    assert claims["aud"] == "https://app.example"
    assert 0 < claims["exp"] - box.clock.now() < 86400
    assert (request.headers["ttl"], request.headers["content-encoding"]) == ("3600", "aes128gcm")


async def test_who_wants_messages_gets_one(box: Box, room: dict[str, Any], bob: Follower) -> None:
    await bob.who.does("SetMyNotices", byMessage=1)
    await begins(box, room)
    [message] = box.postbox.messages
    assert (message.kind, message.phone, message.about) == ("live", "+8613500000002", "ann: Ann's garden")
    assert message.secret.endswith(f"/room/{room['liveRoomId']}")
    assert message.secret in message.text


async def test_who_chose_nothing_and_who_follows_no_more_is_not_told(
    box: Box, room: dict[str, Any], bob: Follower
) -> None:
    cid = await follower(box, room, await person(box, "cid", 3), 3)
    await cid.subscribes()
    await cid.who.does("FollowLiveRoom", liveRoomId=room["liveRoomId"], isFollow=0)
    await begins(box, room)
    assert box.internet.receiver.requests == []
    assert box.postbox.messages == []


async def test_a_gap_tells_nobody_again_and_another_broadcast_does(
    box: Box, room: dict[str, Any], bob: Follower
) -> None:
    await bob.subscribes()
    await begins(box, room)
    await go_off(box, room)
    box.clock.advance(8)
    await begins(box, room)
    assert len(bob.read(box.internet.receiver)) == 1
    await go_off(box, room)
    box.clock.advance(60)
    await begins(box, room)
    assert len(bob.read(box.internet.receiver)) == 2


async def test_what_ends_at_once_tells_nobody(box: Box, room: dict[str, Any], bob: Follower) -> None:
    await bob.subscribes()
    await go_live(box, room)
    await go_off(box, room)
    await herald(box, CERTAIN)
    assert box.internet.receiver.requests == []


async def test_after_an_outage_nobody_is_told_late(box: Box, room: dict[str, Any], bob: Follower) -> None:
    await bob.subscribes()
    await go_live(box, room)
    await herald(box, STALE)
    assert box.internet.receiver.requests == []


async def test_many_are_told_in_batches_and_each_once(
    box: Box, room: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AT_A_TIME", 3)
    people = [await follower(box, room, each, number) for number, each in enumerate(await crowd(box, 8))]
    for each in people:
        await each.subscribes()
    await begins(box, room)
    assert [len(each.read(box.internet.receiver)) for each in people] == [1] * 8


async def test_a_browser_that_is_gone_is_forgotten(box: Box, room: dict[str, Any], bob: Follower) -> None:
    await bob.subscribes()
    box.internet.receiver.status = 410
    await begins(box, room)
    assert await box.running.store.fetch_all(sa.select(push_subscriptions)) == []


async def test_what_fails_hinders_nobody_else(box: Box, room: dict[str, Any], bob: Follower) -> None:
    cid = await follower(box, room, await person(box, "cid", 3), 3)
    cid.endpoint = "https://nowhere.example/push/3"
    for each in (cid, bob):
        await each.subscribes()
        await each.who.does("SetMyNotices", byMessage=1)
    box.postbox.failing = NotSent("the mail server failed")
    await begins(box, room)
    assert len(bob.read(box.internet.receiver)) == 1


async def test_a_private_address_is_not_pushed_to(box: Box, room: dict[str, Any], bob: Follower) -> None:
    box.internet.hosts["app.example"] = ["10.0.0.1"]
    inside = box.internet.receivers["10.0.0.1"] = Receiver()
    await bob.subscribes()
    await begins(box, room)
    assert inside.requests == box.internet.receivers[PUBLIC].requests == []


async def test_a_user_has_ten_browsers_the_last_ones(box: Box, bob: Follower) -> None:
    for number in range(12):
        box.clock.advance(1)
        await Follower(bob.who, number).subscribes()
    assert (await bob.who.does("GetMyNotices"))["browserCount"] == 10
    rows = await box.running.store.fetch_all(sa.select(push_subscriptions.c.endpoint))
    assert "https://app.example/push/0" not in {row["endpoint"] for row in rows}


async def test_the_key_stays_and_is_sealed_with_the_newest(settings: Settings) -> None:
    keys = []
    async with world.box(settings) as first:
        keys.append((await (await person(first)).does("GetMyNotices"))["pushKey"])
    path = settings.data_dir / "keys" / "rooms"
    path.write_text(f"k2 {'x' * 64}\n{path.read_text()}")
    async with world.box(settings) as second:
        ann = Person(second, "ann", "", (await second.api("Login", account="ann", password="secret-1"))["sessionId"])
        keys.append((await ann.does("GetMyNotices"))["pushKey"])
        row = await second.running.store.fetch_one(sa.select(push_keys))
        assert row and row["push_key"].startswith("$k2$")
    assert keys[0] == keys[1]


async def test_what_was_told_long_ago_is_forgotten(box: Box, room: dict[str, Any], bob: Follower) -> None:
    await bob.subscribes()
    await begins(box, room)
    await box.running.herald.purge()
    assert len(await box.running.store.fetch_all(sa.select(notices))) == 1
    box.clock.advance(KEPT)
    await box.running.herald.purge()
    assert await box.running.store.fetch_all(sa.select(notices)) == []
