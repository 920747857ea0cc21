"""How many files a callback, an end and an HLS question go through: a reader follows each without losing the thread."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from tests.support.stage import Stage

pytestmark = pytest.mark.anyio
CONTROL = Path(__file__).parents[2] / "control"
MOST = 9
# The limits, where things are kept, and what is logged and taken down, which a reader can take as read.
ONE_CHAPTER = (
    "blackbox/recorder.py",
    "guessing/",
    "ops/addresses.py",
    "ops/logs.py",
    "nginx_rtmp/pipelined.py",
    "nginx_rtmp/kept_verdicts.py",
    "storage/cache.py",
)


async def files_entered(work: Callable[[], Awaitable[Any]], wanted: Any) -> set[str]:
    """Files of `control` that a function is entered in, on the way to the wanted answer; the limits not counted."""
    entered, task = set[str](), asyncio.current_task()

    def note(frame: FrameType, event: str, _: object) -> None:
        path = Path(frame.f_code.co_filename)
        if event == "call" and path.is_relative_to(CONTROL) and asyncio.current_task() is task:
            name = path.relative_to(CONTROL).as_posix()
            if not name.startswith(ONE_CHAPTER):
                entered.add(name)

    sys.setprofile(note)
    try:
        answer = await work()
    finally:
        sys.setprofile(None)
    assert answer == wanted
    return entered


async def ticket_of(stage: Stage) -> str:
    session = await stage.box.session("viewer", "13600000000")
    urls = await stage.box.api("PlayLiveStream", sessionId=session, liveroomId=stage.id, status=1)
    return str(urls["playRtmpUrl"]).partition("ticket=")[2]


async def test_a_publish_goes_a_short_way(stage: Stage) -> None:
    await stage.box.settle()
    assert len(await files_entered(lambda: stage.publish(1), 204)) <= MOST


@pytest.mark.parametrize("by", ["password", "ticket"])
async def test_a_play_and_its_update_go_a_short_way(stage: Stage, by: str) -> None:
    shown = f"pwd={stage.user}" if by == "password" else f"ticket={await ticket_of(stage)}"
    assert len(await files_entered(lambda: stage.play(1, shown), 204)) <= MOST
    assert len(await files_entered(lambda: stage.update(1, "play"), 204)) <= MOST


async def test_a_publishers_update_and_end_go_a_short_way(stage: Stage) -> None:
    await stage.publish(1)
    assert len(await files_entered(lambda: stage.update(1, timestamp=40), 204)) <= MOST
    assert len(await files_entered(lambda: stage.leave(1), 204)) <= MOST


async def test_an_hls_question_goes_a_short_way(stage: Stage) -> None:
    await stage.publish(1)
    await stage.box.settle()
    asked = {"room": str(stage.id), "ticket": await ticket_of(stage)}

    async def ask() -> str:
        return (await stage.box.hooks.get("/hls", params=asked)).headers["x-verdict"]

    assert len(await files_entered(ask, "welcome")) <= MOST
