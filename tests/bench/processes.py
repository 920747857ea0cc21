"""Processes that are measured: on which core they run, and what they used."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tests.e2e.stand_in import processes

FRONT, ENDPOINT = 0, 1
"""Cores: of nginx and the load client, and of what is asked."""


_CORES = frozenset(os.sched_getaffinity(0))  # before this process is pinned itself


def can_pin() -> bool:
    return {FRONT, ENDPOINT} <= _CORES


def pin(pids: Iterable[int], core: int) -> None:
    """With all their threads. Does nothing on a machine that has not both cores."""
    if not can_pin():
        return
    for pid in pids:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            os.sched_setaffinity(int(thread.name), {core})


def family(pid: int) -> list[int]:
    """A process and its children."""
    return [int(each) for each in processes(pid)]


def used(pids: Iterable[int]) -> float:
    """Seconds of processor time, of threads that ended too. Raises OSError for what is no process."""
    # Linux has a clock for each process, with this number (clock_getcpuclockid): /proc tells time in steps of 10 ms.
    return sum(time.clock_gettime(~pid << 3 | 2) for pid in pids)


def memory(pid: int) -> float:
    """Bytes that are resident."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def started(
    command: Sequence[str],
    core: int,
    environment: Mapping[str, str] | None = None,
    descriptors: Sequence[int] = (),
    output: IO[str] = sys.stderr,
) -> Iterator[int]:
    """Gives its pid, which is that of its group too; ended afterwards."""
    process = subprocess.Popen(command, env=environment, pass_fds=descriptors, stdout=output, process_group=0)
    try:
        pin([process.pid], core)  # before it has made others, which inherit it
        yield process.pid
        if process.poll() is not None:
            raise RuntimeError(f"{command[0]} ended by itself: exit code {process.returncode}")
    finally:
        process.terminate()
        process.wait(20)
