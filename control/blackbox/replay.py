"""Plays what was kept once more, through the same code that decided then."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from control.access.verdicts import Credentials, Role, TicketClaims
from control.blackbox.recorder import Line
from control.blackbox.ring import began, files, read
from control.clock import Epoch, Ticks
from control.live.audience import Audience
from control.live.heartbeats import Heartbeats
from control.live.presence import Presence, Session, SessionKey
from control.live.states import Ending, State

PASSAGES = 1000  # told at a time
ADDRESSES = {"came": 8, "known": 8, "there": 8, "viewer came": 5, "viewer there": 5, "refused": 4}
"""Where a line has a client's."""


class KeptClock:
    """Stands where the lines are."""

    def __init__(self) -> None:
        self.at, self.offset = 0.0, 0.0

    def ticks(self) -> Ticks:
        return Ticks(self.at)

    def now(self) -> Epoch:
        return Epoch(self.at + self.offset)


class Replay:
    """What a control held after the lines that were played."""

    def __init__(self) -> None:
        self.clock: Any = KeptClock()
        self.node = self.version = ""
        self._begin_anew()

    def _begin_anew(self) -> None:
        self.presence = Presence(self.clock)
        self.heartbeats = Heartbeats(self.clock, asyncio.Event())
        self.audience = Audience(self.presence, self.heartbeats)

    def play(self, line: Line) -> Session | None:
        """The session that it is about, as it is then, if that is known."""
        self.clock.at, event, *values = line
        match event:
            case "begin":
                self._begin_anew()
                now, self.node, self.version = values
                self.clock.offset = now - self.clock.at
            case "clock":
                self.clock.offset = values[0] - self.clock.at
            case "viewer came" | "viewer there":
                _, room_id, user_id, address = values
                self.heartbeats.beat(room_id, user_id, shown(user_id), address)
            case "viewer over":
                self.heartbeats.end(*values[1:3])
            case "came" | "known" | "there":
                return self._came(*values[1:])
            case "heard" | "to go" | "spared" | "over":
                return self._changed(event, *values[1:])
        return None

    def settle(self) -> None:
        """Counts what came and went."""
        while self.audience.changed(PASSAGES):
            pass

    def _came(self, *values: Any) -> Session:
        *those, heard_at = values
        session = session_of(*those)
        if (before := self.presence.get(session.key)) is not None:
            self.presence.end(before.key)  # it is told once more, as it is now
        self.presence.admit(session)
        now, self.clock.at = self.clock.at, heard_at
        self.presence.hear(session.key, session.timestamp)
        self.clock.at = now
        return session

    def _changed(self, event: str, node: str, start: str, client: int, *values: Any) -> Session | None:
        key = SessionKey(node, start, client)
        session = self.presence.get(key)
        if session is None:
            return None  # the file began after it had come, and has not told of it yet
        match event:
            case "heard":
                self.presence.hear(key, values[0], active=values[1])
            case "to go":
                self.presence.condemn(key, Ending(values[0]))
            case "spared":
                self.presence.spare(key)
            case "over":
                self.presence.end(key, Ending(values[0]))
        return session


def session_of(
    node: str,
    start: str,
    client: int,
    role: str,
    room_id: int,
    address: str,
    since: float,
    counted: bool,
    user_id: int | None,
    encoder: str,
    state: str,
    ending: str | None,
    timestamp: int,
    media_at: float | None,
) -> Session:
    """As `control.blackbox.recorder.whole` wrote it, but for when it was heard of."""
    return Session(
        SessionKey(node, start, client),
        Role(role),
        room_id,
        address,
        Ticks(since),
        credentials=None if user_id is None else shown(user_id),
        counted=counted,
        encoder=encoder,
        state=State(state),
        ending=Ending(ending) if ending else None,
        timestamp=timestamp,
        media_at=None if media_at is None else Ticks(media_at),
    )


def shown(user_id: int) -> Credentials:
    """Stands in for what a client showed: whose it was."""
    return Credentials(ticket=TicketClaims(0, user_id, 0, 0) if user_id else None)


def kept(folder: Path, since: float) -> Iterator[Line]:
    """The lines of all files from the one on that was written at `since`, seconds since the epoch."""
    found = files(folder)
    first = max((number for number, file in enumerate(found) if began(file) <= since), default=0)
    for file in found[first:]:
        yield from read(file)


def played(lines: Iterable[Line], until: float) -> Iterator[tuple[Replay, Line, Session | None]]:
    """Each line that was taken down before `until`, seconds since the epoch, once it has been played."""
    replay = Replay()
    for line in lines:
        if line[1] not in ("begin", "clock") and line[0] + replay.clock.offset > until:
            return
        yield replay, line, replay.play(line)


def masked(lines: Iterable[Line], until: float, addresses: bool) -> Iterator[Line]:
    """The lines up to `until`, seconds since the epoch; but for `addresses`, each of those is a number in its place."""
    numbers: dict[str, str] = {}
    offset = 0.0
    for line in lines:
        if line[1] in ("begin", "clock"):
            offset = line[2] - line[0]
        if line[0] + offset > until:
            return
        place = ADDRESSES.get(line[1])
        if place is not None and not addresses and line[place]:
            line[place] = numbers.setdefault(line[place], f"address {len(numbers) + 1}")
        yield line
