import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from control.clock import Clock, SystemClock
from control.supervisor import children
from tests.support.world import HandClock

pytestmark = pytest.mark.anyio
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
HEARS = "import signal, sys, time; signal.signal(signal.SIGHUP, lambda *_: sys.exit()); time.sleep(60)"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def made(
    name: str, pid_file: Path, start: Callable[[], subprocess.Popen[bytes]], clock: Clock | None = None
) -> children.Child:
    return children.Child(name=name, pid_file=pid_file, start=start, clock=clock or SystemClock())


@asynccontextmanager
async def kept(child: children.Child) -> AsyncIterator[asyncio.Task[None]]:
    keeper = asyncio.create_task(child.keep())
    try:
        yield keeper
    finally:
        await child.stop()
        await keeper


async def until(condition: Callable[[], object]) -> None:
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise TimeoutError


def python(code: str) -> subprocess.Popen[bytes]:
    return children.spawn([sys.executable, "-c", code], os.environ)


def number(file: Path) -> int:
    return int(file.read_text()) if file.exists() else 0


async def test_a_part_that_cannot_work_is_not_started_again_until_it_is_asked(tmp_path: Path) -> None:
    starts: list[int] = []

    def start() -> subprocess.Popen[bytes]:
        starts.append(len(starts))
        return python(
            "import os; raise SystemExit(os.EX_CONFIG)" if len(starts) == 1 else "import time; time.sleep(60)"
        )

    child = made("control", tmp_path / "pid", start, clock := HandClock())
    async with kept(child):
        await until(lambda: child.hopeless)
        clock.advance(1000)
        await asyncio.sleep(0.1)
        assert len(starts) == 1
        await child.restart()
        await until(lambda: child.pid)
        assert not child.hopeless


async def test_what_waits_for_a_database_server_is_no_failure(tmp_path: Path) -> None:
    child = made(
        "control", tmp_path / "pid", lambda: python("import os; raise SystemExit(os.EX_TEMPFAIL)"), HandClock()
    )
    async with kept(child):
        await until(lambda: child.waiting)
        await child.restart()
        assert not child.failures


async def test_a_part_that_ends_is_started_again_after_growing_delays(tmp_path: Path) -> None:
    child = made("control", tmp_path / "pid", lambda: python("raise SystemExit(3)"))
    began = asyncio.get_running_loop().time()
    async with kept(child):
        await until(lambda: child.failures >= 3)
    assert asyncio.get_running_loop().time() - began >= 3 * children.FIRST_DELAY


async def test_the_pid_file_is_true_while_the_part_lives_and_gone_after(tmp_path: Path) -> None:
    child = made("web", tmp_path / "pid", lambda: python("import time; time.sleep(60)"))
    async with kept(child):
        await until(lambda: number(tmp_path / "pid"))
        first = number(tmp_path / "pid")
        await child.restart()
        await until(lambda: number(tmp_path / "pid") not in (0, first))
        assert child.failures == 0
    assert not (tmp_path / "pid").exists()


async def test_hang_up_reaches_the_process_and_without_one_nobody(tmp_path: Path) -> None:
    child = made("web", tmp_path / "pid", lambda: python(HEARS))
    child.hang_up()
    async with kept(child):
        await until(lambda: number(tmp_path / "pid"))
        first = number(tmp_path / "pid")
        await until(lambda: has_signal(first, "SigCgt", signal.SIGHUP))
        child.hang_up()
        await until(lambda: number(tmp_path / "pid") not in (0, first))


async def test_a_child_that_ignores_term_is_killed(tmp_path: Path) -> None:
    clock = HandClock()
    child = made("web", tmp_path / "pid", lambda: python(STUBBORN), clock)
    async with kept(child) as keeper:
        await until(lambda: ignores_term(number(tmp_path / "pid")))
        await clock.steps(children.GRACE, child.stop())
        await asyncio.wait_for(keeper, 5)


async def test_a_part_that_cannot_be_started_is_tried_again(tmp_path: Path) -> None:
    def start() -> subprocess.Popen[bytes]:
        raise FileNotFoundError(2, "No such file")

    child = made("web", tmp_path / "pid", start)
    async with kept(child):
        await until(lambda: child.failures >= 2)


async def test_a_part_runs_on_without_its_pid_file(tmp_path: Path) -> None:
    starts = []

    def start() -> subprocess.Popen[bytes]:
        starts.append(1)
        return python("import time; time.sleep(0.1)")

    child = made("web", tmp_path / "missing" / "pid", start)
    async with kept(child):
        await until(lambda: len(starts) >= 2)


async def test_a_long_life_makes_the_next_delay_short_again(tmp_path: Path) -> None:
    clock = HandClock()

    def start() -> subprocess.Popen[bytes]:
        clock.advance(children.STEADY)  # as long as it lives
        return python("")

    child = made("web", tmp_path / "pid", start, clock)
    async with kept(child), asyncio.timeout(10):
        for times in range(1, 5):
            await until(partial(has_failed, child, times))
            clock.advance(children.FIRST_DELAY)


def has_failed(child: children.Child, times: int) -> bool:
    return child.failures >= times


def ignores_term(pid: int) -> bool:
    return bool(pid) and has_signal(pid, "SigIgn", signal.SIGTERM)


def has_signal(pid: int, which: str, signal_number: int) -> bool:
    with open(f"/proc/{pid}/status") as status:
        mask = next(line for line in status if line.startswith(f"{which}:"))
    return bool(int(mask.split()[1], 16) & 1 << signal_number - 1)
