"""What a room, and a node, may have, and what happens where it is more."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from control.access.quotas import HIGHEST, Quota
from control.live.presence import SessionKey
from control.live.stream_info import StreamInfo
from control.nginx_rtmp.excess import BARRED, PATIENCE
from control.refusals import BadParameter, NoSuchAccount
from control.settings import SettingError, Settings
from tests.support import world
from tests.support.stage import Stage, staged
from tests.support.world import START, Box

pytestmark = pytest.mark.anyio

LARGE = StreamInfo(9_000_000, 1920, 1080, 30.0, "H264", "AAC")
SMALL = StreamInfo(3_000_000, 1280, 720, 30.0, "H264", "AAC")


class Limited:
    def __init__(self, stage: Stage) -> None:
        self.stage, self.box = stage, stage.box
        self.timestamp = 0

    async def own(self, **values: int | None) -> None:
        """The operator sets them for the room's owner."""
        await self.box.running.live.quotas.set(1, values)

    async def sends(self, info: StreamInfo, seconds: float, client: int = 1) -> None:
        while seconds > 0:
            self.timestamp += 1000
            presence = self.box.running.live.presence
            presence.hear(SessionKey("local", START, client), self.timestamp, stream_info=info)
            await self.box.running.live.excess.step()
            self.box.clock.advance(5)
            seconds -= 5

    async def told(self) -> list[tuple[str, str]]:
        """Limits that the owner was told of, and what came of them."""
        await self.box.running.live.room_events.flush()
        events = (await self.stage.own("GetEvents"))["list"]
        return [(each["data"]["limit"], each["data"]["action"]) for each in events if each["type"] == "limit.reached"]

    @property
    def is_there(self) -> bool:
        return self.box.running.live.presence.publisher(self.stage.id) is not None


@pytest.fixture
def limits() -> str:
    return ""


@pytest.fixture
async def box(settings: Settings, limits: str) -> AsyncIterator[Box]:
    async with world.box(replace(settings, limits=limits)) as opened:
        yield opened


@pytest.fixture
async def room(box: Box) -> Limited:
    return Limited(await staged(box))


@pytest.mark.parametrize("limits", ["viewers=2"])
async def test_a_full_room_lets_no_other_viewer_in(room: Limited) -> None:
    await room.stage.publish(1)
    assert [await room.stage.play(client) for client in (2, 3, 4)] == [204, 204, 403]
    assert await room.stage.status() == (True, 2)
    assert [await room.stage.play(4), await room.stage.update(2, "play")] == [403, 204]
    await room.stage.leave(3)
    await room.box.settle()
    assert await room.stage.play(5) == 204
    assert await room.told() == [("viewers", "refuse")]


@pytest.mark.parametrize("limits", ["viewers=1"])
async def test_the_owner_who_previews_is_no_viewer(room: Limited) -> None:
    await room.stage.publish(1)
    assert await room.stage.play(2) == 204
    mine = await room.stage.own("GetMyLiveRoom")
    ticket = mine["playRtmpUrl"].partition("?")[2]
    assert await room.stage.play(3, ticket) == 204


@pytest.mark.parametrize("limits", ["node-viewers=1"])
async def test_a_full_node_lets_no_other_viewer_in(room: Limited) -> None:
    other = await staged(room.box, 2)
    assert await room.stage.play(1) == 204
    assert await other.play(2) == 403
    await room.stage.leave(1)
    await room.box.settle()
    assert await other.play(2) == 204


@pytest.mark.parametrize("limits", ["node-rooms=1"])
async def test_a_node_with_as_many_rooms_as_it_may_have_lets_no_other_publisher_in(room: Limited) -> None:
    other = Limited(await staged(room.box, 2))
    assert await room.stage.publish(1) == 204
    assert await other.stage.publish(2) == 403
    assert await other.told() == [("rooms", "refuse")]
    await room.stage.leave(1)
    assert await room.stage.publish(3) == 204  # it comes back
    await room.stage.leave(3)
    assert await other.stage.publish(4) == 204


@pytest.mark.parametrize(("limits", "limit"), [("kbps=6000", "kbps"), ("height=720", "height")])
async def test_a_stream_that_is_too_much_is_warned_of_and_then_ended(room: Limited, limit: str) -> None:
    await room.stage.publish(1)
    await room.sends(LARGE, 10)
    assert await room.told() == [(limit, "warn")]
    [shown] = room.box.running.live.excess.of(room.stage.id)
    assert shown.limit == limit
    assert 0 < shown.seconds < PATIENCE
    await room.sends(LARGE, PATIENCE)
    assert not room.is_there
    assert await room.told() == [(limit, "warn"), (limit, "end")]
    assert await room.stage.publish(2) == 403  # it would be back at once, with the same
    room.box.clock.advance(BARRED)
    assert await room.stage.publish(3) == 204


@pytest.mark.parametrize("limits", ["kbps=6000,height=1080"])
async def test_one_that_becomes_less_in_time_goes_on(room: Limited) -> None:
    await room.stage.publish(1)
    for info in (LARGE, SMALL, LARGE):
        await room.sends(info, PATIENCE - 5)
    assert room.is_there
    assert await room.told() == [("kbps", "warn"), ("kbps", "warn")]


@pytest.mark.parametrize("limits", ["height=720"])
async def test_an_upright_picture_is_measured_by_its_shorter_side(room: Limited) -> None:
    await room.stage.publish(1)
    await room.sends(StreamInfo(3_000_000, 720, 1280, 30.0, "H264", "AAC"), PATIENCE + 10)
    assert await room.told() == []


@pytest.mark.parametrize("limits", ["hours=1"])
async def test_after_the_hours_of_a_day_nobody_pushes_until_the_next(room: Limited) -> None:
    await room.stage.publish(1)
    for _ in range(72):
        room.timestamp += 1000
        room.box.nginx.clients[1].timestamp = room.timestamp
        await room.box.settle()
        await room.sends(SMALL, 5)
        room.box.clock.advance(46)
        if not room.is_there:
            break
    assert not room.is_there
    room.stage.session = (await room.box.api("Login", account="owner1", password="secret-1"))["sessionId"]
    assert await room.told() == [("hours", "warn"), ("hours", "end")]
    room.box.clock.advance(BARRED)
    assert await room.stage.publish(2) == 403
    room.box.clock.advance(86400)
    assert await room.stage.publish(3) == 204


async def test_one_user_may_have_other_limits_than_all(room: Limited) -> None:
    await room.own(viewers=1)
    assert [await room.stage.play(client) for client in (2, 3)] == [204, 403]
    await room.own(viewers=2)
    assert await room.stage.play(3) == 204
    await room.own(viewers=None)
    assert await room.stage.play(4) == 204
    assert await room.box.running.live.quotas.own(1) == dict.fromkeys(Quota._fields)


@pytest.mark.parametrize("limits", ["viewers=1"])
async def test_none_for_one_user_where_there_is_one_for_all(room: Limited) -> None:
    await room.own(viewers=0, kbps=5000)
    assert [await room.stage.play(client) for client in (2, 3)] == [204, 204]
    assert (await room.box.running.live.quotas.own(1))["kbps"] == 5000


@pytest.mark.parametrize("values", [{"viewers": -1}, {"viewers": HIGHEST + 1}, {"frames": 1}])
async def test_what_is_no_limit_is_refused(room: Limited, values: dict[str, Any]) -> None:
    with pytest.raises(BadParameter):
        await room.own(**values)


async def test_nobody_has_none(room: Limited) -> None:
    for user_id in (0, 99, 2**40):
        with pytest.raises(NoSuchAccount):
            await room.box.running.live.quotas.set(user_id, {"viewers": 1})


@pytest.mark.parametrize("text", ["viewers", "viewers=x", "frames=1", "viewers=-1", "viewers=1;kbps=2"])
def test_a_setting_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(SettingError, match="QPLUS_LIMITS: viewers=number, kbps=number"):
        Settings(limits=text)
