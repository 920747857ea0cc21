from __future__ import annotations

import asyncio

import pytest

from control.ops.loops import finished, repeat

pytestmark = pytest.mark.anyio


async def cancelled(task: asyncio.Task[None]) -> bool:
    task.cancel()
    await asyncio.wait([task])
    return task.cancelled()


class Work:
    """Waits for leave to end."""

    def __init__(self) -> None:
        self.began, self.may_end = asyncio.Event(), asyncio.Event()
        self.ended = False

    async def __call__(self) -> None:
        self.began.set()
        await self.may_end.wait()
        self.ended = True


async def turn() -> None:
    await asyncio.sleep(0)


async def test_work_is_done_at_every_turn() -> None:
    done, enough = [], asyncio.Event()

    async def work() -> None:
        done.append(1)
        if len(done) == 3:
            enough.set()

    loop = asyncio.create_task(repeat("work", turn, work))
    await asyncio.wait_for(enough.wait(), 2)
    assert await cancelled(loop)


async def test_a_failure_is_logged_and_the_next_turn_taken(capsys: pytest.CaptureFixture[str]) -> None:
    tries, again = [], asyncio.Event()

    async def work() -> None:
        tries.append(1)
        if len(tries) > 1:
            again.set()
        raise RuntimeError("disk on fire")

    loop = asyncio.create_task(repeat("on air", turn, work))
    await asyncio.wait_for(again.wait(), 2)
    assert await cancelled(loop)
    said = capsys.readouterr().out
    assert "background work failed" in said and "work='on air'" in said and "disk on fire" in said


async def test_no_work_is_done_before_its_turn() -> None:
    work = Work()
    loop = asyncio.create_task(repeat("work", asyncio.Event().wait, work))
    await asyncio.sleep(0)
    assert await cancelled(loop)
    assert not work.began.is_set()


async def test_a_cancellation_waits_for_the_end_of_the_work() -> None:
    work = Work()
    loop = asyncio.create_task(repeat("work", turn, work))
    await work.began.wait()
    loop.cancel()
    for _ in range(5):
        await asyncio.sleep(0)
    assert not loop.done()
    work.may_end.set()
    await asyncio.wait([loop])
    assert work.ended and loop.cancelled()


async def test_work_that_fails_after_the_cancellation_is_logged(capsys: pytest.CaptureFixture[str]) -> None:
    began = asyncio.Event()

    async def work() -> None:
        began.set()
        await asyncio.sleep(0.01)
        raise RuntimeError("disk on fire")

    task = asyncio.create_task(finished(work()))
    await began.wait()
    assert await cancelled(task)
    assert "disk on fire" in capsys.readouterr().out


async def test_work_that_is_cancelled_itself_is_a_cancellation() -> None:
    async def work() -> None:
        raise asyncio.CancelledError

    task = asyncio.create_task(finished(work()))
    await asyncio.wait([task])
    assert task.cancelled()


async def test_finished_work_returns_and_raises_as_it_did() -> None:
    async def fail() -> None:
        raise RuntimeError("as it was")

    await finished(asyncio.sleep(0))
    with pytest.raises(RuntimeError, match="as it was"):
        await finished(fail())
