"""The decoder as control has it: a child process, which is started at need and ended where it does not answer."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import structlog

from control.clock import Clock
from control.settings import PREFIX
from control.snapshots.messages import LENGTH, NONE, Picture

PATIENCE = 6.0  # seconds for one picture, and for its start with the first; it has an alarm of its own before
ROOT = Path(__file__).parents[2]

log = structlog.get_logger()


class Decoding:
    """One picture at a time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._turn = asyncio.Lock()
        self._child: Process | None = None

    async def picture(self, segment: bytes) -> Picture:
        """NONE where there is none to be had, or it took too long."""
        async with self._turn:
            child = self._child = self._child or await _started()
            try:
                async with self._clock.within(PATIENCE):
                    return await _asked(child, segment)
            except (TimeoutError, asyncio.IncompleteReadError, ConnectionError):
                await self._end(child)
                log.warning("decoder ended", code=child.returncode)
                return NONE
            except asyncio.CancelledError:
                await self._end(child)  # its answer would be taken for that to the next question
                raise

    async def close(self) -> None:
        async with self._turn:
            if self._child:
                await self._end(self._child)

    async def _end(self, child: Process) -> None:
        self._child = None
        if child.returncode is None:
            child.kill()
        await child.wait()


async def _started() -> Process:
    """It has none of our settings, of which some are secrets."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    command = [sys.executable, "-m", "control.snapshots.decoder"]
    return await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, cwd=ROOT, env=env)


async def _asked(child: Process, segment: bytes) -> Picture:
    assert child.stdin and child.stdout
    child.stdin.write(LENGTH.pack(len(segment)) + segment)
    await child.stdin.drain()
    return await _message(child.stdout), await _message(child.stdout)


async def _message(source: asyncio.StreamReader) -> bytes:
    return await source.readexactly(*LENGTH.unpack(await source.readexactly(LENGTH.size)))
