from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import pytest

from control.accounts.idle_threads import NICENESS, IdleThreads, only_when_idle, step_back

pytestmark = pytest.mark.anyio


@pytest.fixture
def threads() -> Iterator[IdleThreads]:
    made = IdleThreads(1, "test")
    yield made
    made.close()


def standing() -> tuple[int, int]:
    """The policy and the priority of the running thread."""
    return os.sched_getscheduler(0), os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


async def test_work_is_done_when_nothing_else_is(threads: IdleThreads) -> None:
    niceness = max(os.getpriority(os.PRIO_PROCESS, 0), NICENESS)
    assert await threads.run(standing) == (os.SCHED_IDLE, niceness)
    assert os.sched_getscheduler(0) == os.SCHED_OTHER


async def test_what_gets_no_idle_time_is_done_with_a_share(threads: IdleThreads) -> None:
    go_on = threading.Event()

    def work(word: str) -> tuple[str, int]:
        policy, _ = standing()
        if policy == os.SCHED_IDLE:
            go_on.wait(20)
        return word, policy

    try:
        for _ in range(2):  # the second time no thread begins with it
            assert await threads.run(work, "done") == ("done", os.SCHED_OTHER)
    finally:
        go_on.set()


async def test_what_fails_does_so_for_the_caller(threads: IdleThreads) -> None:
    with pytest.raises(ZeroDivisionError):
        await threads.run(divmod, 1, 0)


def test_where_the_policy_may_not_be_set_the_priority_is_low(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def forbidden(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "getpriority", lambda which, thread: 0)
    monkeypatch.setattr(os, "setpriority", lambda which, thread, wanted: asked.append(wanted))
    monkeypatch.setattr(os, "sched_setscheduler", forbidden)
    only_when_idle()
    assert asked == [NICENESS]


@pytest.mark.parametrize("priority", [0, 5, 19])
def test_threads_step_back_unless_the_whole_process_has(monkeypatch: pytest.MonkeyPatch, priority: int) -> None:
    """A node that was started with `nice` may not come forward."""
    asked: list[int] = []
    monkeypatch.setattr(os, "getpriority", lambda which, thread: priority)
    monkeypatch.setattr(os, "setpriority", lambda which, thread, wanted: asked.append(wanted))
    step_back()
    assert asked == [NICENESS] * (priority < NICENESS)
