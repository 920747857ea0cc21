"""Limits, as nginx measures what is pushed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.conftest import Node, Room, until
from tests.e2e.encoders import encoder

pytestmark = pytest.mark.anyio


async def reached(node: Node, room: Room) -> list[dict[str, Any]]:
    events = (await node.api("GetEvents", sessionId=room.session))["list"]
    return [each["data"] for each in events if each["type"] == "limit.reached"]


@pytest.mark.parametrize("options", [{"limits": "height=120,kbps=20000"}], ids=["height"])
async def test_an_anchor_is_warned_of_a_picture_that_is_too_large(node: Node) -> None:
    room = await node.room()
    async with encoder(f"{node.rtmp}/{room.push}"):
        await node.live(room, 10)
        [told] = await until(lambda: reached(node, room), 20)
        assert told == {"limit": "height", "value": 180, "most": 120, "action": "warn"}
        assert await node.is_live(room)
