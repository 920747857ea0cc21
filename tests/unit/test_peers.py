"""A node among others: whom it sends to them, and what they may have of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest

from control.access.tickets import Keys
from control.clock import SystemClock
from control.settings import Settings
from control.storage.database import opened
from tests.support.nodes import StandInNode
from tests.support.stage import Stage, staged
from tests.support.world import FakeNginx, box

pytestmark = pytest.mark.anyio
ADDRESS, PEER = "10.0.0.1", "10.0.0.98"


@dataclass
class Meeting:
    """A node with a room, and `other`, a peer."""

    stage: Stage
    keys: Keys
    other: StandInNode

    async def come(self, call: str, client: int, arguments: str, kind: str = "play") -> tuple[int, str]:
        """The answer to a callback, and where it sends the client's nginx."""
        told = self.stage.box.answer(
            "local",
            self.stage.box.nginx.start,
            call,
            client,
            str(self.stage.id),
            arguments,
            kind=kind,
            addr="10.0.0.98",
        )
        answer = await self.stage.box.clock.steps(0.1, told)
        return answer.status_code, answer.headers.get("location", "")

    def relay(self, epoch: int, node: str = "local", room: int = 0) -> str:
        return f"relay={self.keys.mark(f'pull/{room or self.stage.id}/{node}/{epoch}')}"

    async def asks(self, mark: str) -> int:
        """For HLS; the status."""
        asked = self.stage.box.hooks.get("/node", params={"room": self.stage.id}, headers={"X-Mark": mark})
        return (await self.stage.box.clock.steps(0.1, asked)).status_code


@pytest.fixture
async def meeting(settings: Settings, empty_shared_database: str) -> AsyncIterator[Meeting]:
    shared = replace(settings, database_url=empty_shared_database, node_address=ADDRESS)
    async with opened(empty_shared_database, SystemClock(), "b") as store, box(shared, FakeNginx()) as made:
        live = made.running.live
        other = StandInNode(store, "b")
        other.nodes._keys = live.nodes._keys  # they have the same folder
        await other.begin()
        await live.log.follow()
        yield Meeting(await staged(made), live.hls_auth.keys, other)


async def test_a_peer_pulls_with_the_mark_of_this_epoch_and_is_no_viewer(meeting: Meeting) -> None:
    push = f"pwd={meeting.stage.anchor}"
    assert await meeting.come("publish", 1, push, "publish") == (204, "")
    for wrong in (meeting.relay(2), meeting.relay(1, "b"), meeting.relay(1, room=7), "relay=" + "0" * 32, "relay="):
        assert (await meeting.come("play", 8, wrong))[0] == 403
    assert (await meeting.come("publish", 8, meeting.relay(1)))[0] == 403
    assert await meeting.come("play", 9, meeting.relay(1)) == (204, "")
    assert await meeting.come("update", 9, meeting.relay(1)) == (204, "")
    assert (await meeting.stage.said())[1] == 0


async def test_a_peer_has_segments_of_what_is_live_here_with_a_mark_of_this_epoch(meeting: Meeting) -> None:
    mark = meeting.keys.mark(f"hls/{meeting.stage.id}/local/1")
    assert await meeting.asks(mark) == 403  # nothing is
    await meeting.come("publish", 1, f"pwd={meeting.stage.anchor}", "publish")
    meeting.stage.box.nginx.put(1, str(meeting.stage.id), publishing=True, timestamp=500)
    await meeting.stage.box.settle()
    assert await meeting.asks(mark) == 204
    for wrong in ("", "0" * 32, meeting.keys.mark(f"hls/{meeting.stage.id}/local/2"), meeting.relay(1)[6:]):
        assert await meeting.asks(wrong) == 403


async def test_when_a_room_moves_players_are_sent_after_it_and_nobody_pulls_from_here(meeting: Meeting) -> None:
    await meeting.come("publish", 1, f"pwd={meeting.stage.anchor}", "publish")
    await meeting.come("play", 9, meeting.relay(1))
    await meeting.come("done", 1, f"pwd={meeting.stage.anchor}", "publish")
    await meeting.stage.box.running.live.leases.release()
    await meeting.other.step()
    await meeting.other.publish(meeting.stage.id)
    await meeting.stage.box.running.live.log.follow()
    assert (await meeting.come("update", 9, meeting.relay(1)))[0] == 403
    status, location = await meeting.come("play", 2, f"pwd={meeting.stage.user}")
    assert (status, location) == (302, f"rtmp://{PEER}:1935/live/{meeting.stage.id}?{meeting.relay(2, 'b')}")
