from __future__ import annotations

from typing import Any

import pytest

from control.refusals import BadParameter
from control.rooms.gate import HIGH, LOW, Gate
from tests.support.stage import Stage
from tests.support.world import HandClock

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("seconds", [LOW - 1, HIGH + 1, 0, -5, 10**12])
async def test_a_time_that_is_too_short_or_long_is_refused(seconds: int) -> None:
    nobody: Any = None  # it is refused before anybody is asked
    with pytest.raises(BadParameter) as refusal:
        await Gate(rooms=nobody, clock=HandClock()).set(owner=nobody, room_id=1, is_open=False, seconds=seconds)
    assert refusal.value.field == "timeout"


@pytest.mark.parametrize("seconds", [LOW, HIGH])
async def test_a_gate_is_shut_for_its_time_and_then_open(stage: Stage, seconds: int) -> None:
    await stage.own("PushLiveStream", status=0, timeout=seconds)
    assert await stage.publish(1) == 403
    stage.box.clock.advance(seconds)
    assert await stage.publish(2) == 204


async def test_a_gate_can_be_opened_before_its_time(stage: Stage) -> None:
    await stage.own("PushLiveStream", status=0, timeout=3600)
    await stage.own("PushLiveStream", status=1)
    assert await stage.publish(1) == 204


async def test_a_shut_gate_puts_the_publisher_out_and_leaves_players(stage: Stage) -> None:
    assert (await stage.publish(1), await stage.play(2)) == (204, 204)
    assert await stage.status() == (True, 1)
    await stage.own("PushLiveStream", status=0)
    assert stage.box.nginx.dropped == [1]
    assert await stage.status() == (False, 1)
