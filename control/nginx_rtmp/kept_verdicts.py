"""What the web nginx need not ask about: a file for each viewer that was let in over HLS, removed a few seconds later.

To look whether a file is there costs nginx next to nothing, a subrequest more than the segment it is for
(docs/performance.md). Without such a file, for whatever reason, it asks."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from control.clock import Clock, Ticks

KEPT = 2.5  # seconds; nginx believes for less than two more what it has seen
EVERY = 0.1  # seconds between two batches of files

log = structlog.get_logger()

Change = tuple[str, str | None]
"""A file's name and what is to stand in it; None: it is to go."""


@dataclass(frozen=True, slots=True)
class _Kept:
    room_id: int
    until: Ticks


@dataclass(slots=True)
class _Room:
    what_to_list: str = ""
    users: dict[str, int] = field(default_factory=dict)
    """By the name of a verdict's file."""


class KeptVerdicts:
    """Empty files `<room>.<ticket>` in a folder, and for each of their rooms `<room>`, with what nginx/playlist.js has
    to know. They are made and removed in batches, on a thread: a disk can take its time."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._kept: dict[str, _Kept] = {}
        """In the order of their ends."""
        self._rooms: dict[int, _Room] = {}
        self._todo: list[Change] = []
        self._wanted = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, "verdicts")  # others wait for disks and mail servers on theirs
        self._failing = False

    def clear(self) -> None:
        """What a control before has left is nobody's to remove any more."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def keep(self, room_id: int, user_id: int, ticket: str, what_to_list: str) -> None:
        """`ticket` is as it was shown: letters, digits and `._~-`, at most 160 of them, as nginx has made sure."""
        room, name = self._rooms.setdefault(room_id, _Room()), f"{room_id}.{ticket}"
        if room.what_to_list != what_to_list:
            room.what_to_list = what_to_list
            self._todo.append((str(room_id), what_to_list))
        room.users[name] = user_id
        self._kept.pop(name, None)
        self._kept[name] = _Kept(room_id, Ticks(self._clock.ticks() + KEPT))
        self._todo.append((name, ""))
        self._wanted.set()

    def withdraw(self, room_id: int, users: Collection[int]) -> None:
        """Of these users in this room, long before nginx would ask about them."""
        if room := self._rooms.get(room_id):
            self._remove([name for name, user_id in room.users.items() if user_id in users])

    async def next_turn(self) -> None:
        if not self._kept and not self._todo:
            await self._wanted.wait()
        await self._clock.sleep(EVERY)

    async def write(self) -> None:
        self._expire()
        self._wanted.clear()
        todo, self._todo = self._todo, []
        if not todo:
            return
        again = todo
        try:
            failure, again = await asyncio.get_running_loop().run_in_executor(
                self._thread, carry_out, self._folder, todo
            )
            self._note(failure)
        finally:
            self._todo[:0] = again  # before all that came since

    def _expire(self) -> None:
        now, late = self._clock.ticks(), []
        for name, kept in self._kept.items():
            if kept.until > now:
                break
            late.append(name)
        self._remove(late)

    def _remove(self, names: Iterable[str]) -> None:
        for name in names:
            room_id = self._kept.pop(name).room_id
            room = self._rooms[room_id]
            del room.users[name]
            self._todo.append((name, None))
            if not room.users:
                del self._rooms[room_id]
                self._todo.append((str(room_id), None))

    def close(self) -> None:
        self._thread.shutdown()

    def _note(self, failure: OSError | None) -> None:
        if failure and not self._failing:
            log.warning("verdicts are not kept", error=failure.strerror)
        self._failing = failure is not None


def carry_out(folder: Path, todo: Iterable[Change]) -> tuple[OSError | None, list[Change]]:
    """Returns the last failure, and what is to be removed still: one change that fails must not keep others from being
    made, and who may not stay is not forgotten. Blocks."""
    failure, left = None, list[Change]()
    for name, text in todo:
        try:
            _write(folder / name, text) if text else _mark(folder / name, text)
        except OSError as error:
            failure = error
            if text is None:
                left.append((name, text))
    return failure, left


def _write(file: Path, text: str) -> None:
    new = file.with_name("new")
    new.write_text(text)
    new.replace(file)


def _mark(file: Path, text: str | None) -> None:
    if text is None:
        file.unlink(missing_ok=True)
    else:
        os.close(os.open(file, os.O_CREAT | os.O_WRONLY, 0o600))
