"""A child process that is started again whenever it ends, until it is told to stop."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import structlog

from control.clock import Clock
from control.supervisor import folders
from control.supervisor.successor import Successor

FIRST_DELAY = 0.1  # seconds before the first new try, doubled up to the longest
LONGEST_DELAY = 5.0
STEADY = 10.0  # a life of this many seconds makes the next delay the first again
GRACE = 8.0  # seconds between TERM and KILL

KEEP_RIGHTS = "NODE_KEEPS_RIGHTS"  # in the environment, whatever its value

log = structlog.get_logger()


def spawn(
    command: Sequence[str], env: Mapping[str, str], keep: Sequence[int] = (), stack: int = 0, memory: int = 0
) -> subprocess.Popen[bytes]:
    """Starts a child, in a group of its own, that ends with us even if we are killed, and prints to our stderr. `stack`
    is the least bytes of stack it must have, as far as the system allows, `memory` the most of address space of each of
    its processes; 0 for the usual."""
    return subprocess.Popen(
        ["setpriv", *_rights(), "--pdeathsig", "TERM", *_limits(stack, memory), *command],
        env=env,
        pass_fds=keep,
        stdin=subprocess.DEVNULL,
        stdout=2,
        start_new_session=True,
    )


def _rights() -> list[str]:
    """A right that we have, as for reading a key, is not handed on but where a child needs it too."""
    return [] if KEEP_RIGHTS in os.environ else ["--inh-caps", "-all", "--ambient-caps", "-all"]


def _limits(stack: int, memory: int) -> list[str]:
    """What has a command run within these."""
    limits = [f"--as={memory}"] if memory else []
    soft, hard = resource.getrlimit(resource.RLIMIT_STACK)
    if stack and soft != resource.RLIM_INFINITY and soft < stack:
        if hard != resource.RLIM_INFINITY and hard < stack:
            log.warning("less stack than wanted", wanted=stack, allowed=hard)
            stack = hard
        limits.append(f"--stack={stack}:")
    return ["prlimit", *limits] if limits else []


class Child:
    """Its `pid_file` names the running process and is gone when there is none."""

    def __init__(
        self, *, name: str, pid_file: Path, start: Callable[[], subprocess.Popen[bytes]], clock: Clock
    ) -> None:
        self.name = name
        self.failures = 0
        self.hopeless = False
        """It ended with EX_CONFIG: it cannot work until a person has done something, and then asks for a new start."""
        self.waiting = False
        """It ended with EX_TEMPFAIL: what it cannot do without, as a database server, may come yet."""
        self._pid_file = pid_file
        self._start = start
        self._clock = clock
        self._pid: int | None = None
        self._stopping = False
        self._asked = False
        self._next: Successor | None = None
        self._wake = asyncio.Event()
        self._ended = asyncio.Event()

    async def keep(self) -> None:
        """Runs until `stop`."""
        delay = FIRST_DELAY
        while not self._stopping:
            began = self._clock.ticks()
            how = await self._live()
            if self._clock.ticks() - began >= STEADY:
                delay = FIRST_DELAY
            if self.hopeless and not (self._stopping or self._asked):
                log.error("child gives up", child=self.name)
                await self._wake.wait()
            elif not (self._stopping or self._asked):
                self.failures += not self.waiting
                log.warning("child ended", child=self.name, how=how, again_in=delay)
                with suppress(TimeoutError):
                    async with self._clock.within(delay):
                        await self._wake.wait()
                delay = min(2 * delay, LONGEST_DELAY)
        if self._next:
            self._next.discard()

    @property
    def pid(self) -> int | None:
        """None between two lives."""
        return self._pid

    async def restart(self, successor: Successor | None = None) -> None:
        """Ends the process, for `keep` to go on with the one that has loaded, or to start one afresh."""
        log.info("child restarts", child=self.name)
        self._asked, self._next = True, successor
        await self._end()

    def hang_up(self) -> None:
        """Sends HUP to the process, which means to an nginx: new workers."""
        if self._pid is not None:
            os.kill(self._pid, signal.SIGHUP)

    async def stop(self) -> None:
        self._stopping = True
        await self._end()

    async def _live(self) -> str:
        """One life, from the start to the end of the last process of the group. Returns how it ended."""
        self._asked = False
        self._wake.clear()
        self._ended.clear()
        self.hopeless = False
        try:
            process = self._start() if self._next is None else self._next.begin()
        except OSError as error:
            return str(error)
        self._next, self._pid = None, process.pid
        log.info("child started", child=self.name, pid=process.pid)
        try:
            folders.replace(self._pid_file, f"{process.pid}\n")
        except OSError as error:  # a full disk is no reason to end streams
            log.error("pid file not written", child=self.name, error=str(error))
        await _over(process.pid)
        os.killpg(process.pid, signal.SIGKILL)  # an orphaned nginx worker would keep the port
        self._pid = None
        code = process.wait()
        self.hopeless, self.waiting = code == os.EX_CONFIG, code == os.EX_TEMPFAIL
        self._pid_file.unlink(missing_ok=True)
        await _emptied(process.pid)
        self._ended.set()
        return f"exit code {code}" if code >= 0 else signal.Signals(-code).name

    async def _end(self) -> None:
        self._wake.set()
        pid = self._pid
        if pid is None:
            return
        os.kill(pid, signal.SIGTERM)
        try:
            async with self._clock.within(GRACE):
                await self._ended.wait()
        except TimeoutError:
            if self._pid == pid:
                log.warning("child killed", child=self.name, pid=pid, after=GRACE)
                os.killpg(pid, signal.SIGKILL)


async def _over(pid: int) -> None:
    """Returns once a child has ended. Not reaped yet, it keeps its number, so no signal can hit another's group."""
    loop, over, descriptor = asyncio.get_running_loop(), asyncio.Event(), os.pidfd_open(pid)
    loop.add_reader(descriptor, over.set)
    try:
        await over.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


async def _emptied(group: int) -> None:
    """Waits for the last of a killed group, but not long: on a system that reaps no orphans they stay, though dead."""
    deadline = time.monotonic() + 0.5
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        await asyncio.sleep(0.01)
