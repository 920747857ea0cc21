"""Rows of the list of what is live: it costs no more where there is more of it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.bench.figures import Row, cpu, paired
from tests.bench.http import Ask, in_turns
from tests.bench.size import Sized

PAGE = 5  # rooms: two pages of what is live on the small node


def _pages(node: Sized) -> Ask:
    """The first page of each session, then the second of each."""
    bodies = (
        json.dumps({"sessionId": room.session, "type": 1, "refresh": refresh, "count": PAGE})
        for refresh in (1, 0)
        for room in node.made.rooms
    )
    port = node.made.node.settings.http_port
    return Ask(port, [("/live/GetLiveRoomList", body) for body in bodies], node.made.control)


async def list_rows(folder: Path, small: Sized, large: Sized, repetitions: int, seconds: float) -> list[Row]:
    variants = {"small": _pages(small), "large": _pages(large)}
    taken = await in_turns(folder, variants, repetitions, seconds)
    name = f"list of {large.live} live of {large.rooms} rooms over {small.live} of {small.rooms}"
    return [
        Row(f"{name}: p99", paired(taken["p99"], "large", "small"), cpu=cpu(taken["p99"], "large"), most=1.5, aim=1.1),
        Row(f"{name}: p50", paired(taken["p50"], "large", "small")),
    ]
