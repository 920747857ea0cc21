"""What a player costs in memory while it is there."""

from __future__ import annotations

import gc
import sys
import tracemalloc

import pytest

from control.nginx_rtmp.callbacks import YES
from tests.support.stage import Stage
from tests.support.world import START, body

pytestmark = pytest.mark.anyio
PLAYERS, MOST = 2000, 1024  # bytes for each


@pytest.mark.parametrize("by", ["password", "ticket"])
async def test_a_session_takes_less_than_a_kibibyte(stage: Stage, by: str) -> None:
    judge = stage.box.running.callbacks.judge
    viewer = await stage.box.session("viewer", "13600000000")
    urls = await stage.box.api("PlayLiveStream", sessionId=viewer, liveroomId=stage.id, status=1)
    shown = f"pwd={stage.user}" if by == "password" else f"ticket={urls['playRtmpUrl'].partition('ticket=')[2]}"

    async def come(client: int) -> None:
        address = f"192.0.{client // 256 % 256}.{client % 256}"
        content = body("play", client, str(stage.id), shown, addr=address).encode()
        assert await judge("play", "local", START, content) == YES

    await come(1)
    gc.collect()
    tracing = sys.gettrace()
    sys.settrace(None)  # what measures coverage takes memory too
    held = []
    for first in (2, PLAYERS + 2):
        tracemalloc.start()
        for client in range(first, first + PLAYERS):
            await come(client)
        stage.box.running.live.recorder.take()  # as each second what was told goes to the black box
        gc.collect()
        held.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
    sys.settrace(tracing)
    # Tables of Python itself, as that of all names, double now and then, by megabytes: in one of the two turns at most.
    assert min(held) / PLAYERS < MOST, held
