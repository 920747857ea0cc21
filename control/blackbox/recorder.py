"""Takes down what changes who is here, without a secret: as lists of values, one for each change, written later."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2s
from typing import Any

from control.clock import Clock
from control.live.heartbeats import Heartbeats
from control.live.presence import Presence, Session, SessionKey
from control.ops.causes import because

MOST = 100_000  # lines that wait to be written; where a disk hangs, those that come then are lost, and counted
REFUSALS = 100  # that are taken down between two writes; the rest are counted

Line = list[Any]


class Recorder:
    """Of one life of a control. Of a session's key the start of its nginx is hashed: callbacks are known by it, so it
    is a secret."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lines: list[Line] = []
        self.lost = 0
        """Lines that could not be kept since these were last taken: what follows cannot be understood without them."""
        self._refused = 0

    def take(self) -> list[Line]:
        """What came since this was last asked."""
        lines, self._lines = self._lines, []
        for event, number in (("lost", self.lost), ("more refused", max(0, self._refused - REFUSALS))):
            if number:
                lines.append([self._clock.ticks(), event, number])
        self.lost = self._refused = 0
        return lines

    def note(self, event: str, session: Session) -> None:
        if event == "heard":
            at, values = session.heard_at, [*named(session.key), session.timestamp, session.media_at is not None]
        elif event in ("came", "known", "there"):
            at, values = self._clock.ticks(), whole(session)
        else:
            at, values = self._clock.ticks(), [*named(session.key), session.ending]
        self._add([at, event, because.get(), *values])

    def note_viewer(self, event: str, room_id: int, user_id: int, address: str) -> None:
        self._add([self._clock.ticks(), f"viewer {event}", because.get(), room_id, user_id, address])

    def note_refusal(self, call: str, room_id: int, address: str, reason: str) -> None:
        self._refused += 1
        if self._refused <= REFUSALS:  # or a stranger would fill the files, and all before were deleted for that
            self._add([self._clock.ticks(), "refused", call, room_id, address, reason])

    def begin(self, node: str, version: str, before: Iterable[Line]) -> None:
        """A file that is to be understood without those before. `before` is what this life has told already."""
        lines = [*before, *self._lines]
        at = min([self._clock.ticks(), *(line[0] for line in lines[:1])])
        self._lines = [[at, "begin", self._clock.now() - (self._clock.ticks() - at), node, version], *lines]

    def tell_time(self) -> None:
        """What the ticks of the lines around it are by the wall clock."""
        self._add([self._clock.ticks(), "clock", self._clock.now()])

    def note_there(self, session: Session, presence: Presence) -> None:
        """Somebody who came before the file began."""
        if presence.get(session.key) is session:
            self.note("there", session)

    def note_watching(self, room_id: int, heartbeats: Heartbeats) -> None:
        for user_id, beat in heartbeats.in_room(room_id).items():
            self.note_viewer("there", room_id, user_id, beat.address)

    def _add(self, line: Line) -> None:
        if len(self._lines) < MOST:
            self._lines.append(line)
        else:
            self.lost += 1


def named(key: SessionKey) -> Line:
    return [key.node, hashed(key.start), key.client]


@lru_cache(maxsize=256)
def hashed(start: str) -> str:
    return blake2s(start.encode(), digest_size=4).hexdigest()


def whole(session: Session) -> Line:
    """All that a session is, but for what it showed; `control.blackbox.replay` reads it."""
    return [
        *named(session.key),
        session.role,
        session.room_id,
        session.address,
        session.since,
        session.counted,
        session.user_id if session.credentials else None,
        session.encoder,
        session.state,
        session.ending,
        session.timestamp,
        session.media_at,
        session.heard_at,
    ]
