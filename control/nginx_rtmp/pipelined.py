"""Publishers that ask for stream after stream on one connection, each of which nginx asks about.

The guard reads a publisher no more once it was let in. One with a room of its own could have nginx ask by the thousand
at once, and everybody else would wait; so its room is not pushed to for a while.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import structlog

from control.clock import Clock, Ticks
from control.live.presence import Session, SessionKey
from control.refusals import Denied

HANDFUL = 6  # more streams than an encoder asks for by mistake
BARRED = 60.0  # seconds

log = structlog.get_logger()


@dataclass
class PipelinedStreams:
    clock: Clock
    _asked: dict[SessionKey, int] = field(default_factory=dict)
    _barred: dict[int, Ticks] = field(default_factory=dict)
    """Rooms, and until when."""

    def note(self, publisher: Session) -> None:
        """One more stream was asked for on its connection."""
        asked = self._asked[publisher.key] = self._asked.get(publisher.key, 0) + 1
        if asked == HANDFUL:
            self._barred[publisher.room_id] = Ticks(self.clock.ticks() + BARRED)
            log.warning("room barred", room=publisher.room_id, address=publisher.address, seconds=round(BARRED))

    def refuse_barred(self, room_id: int) -> None:
        """Raises Denied."""
        if self.clock.ticks() < self._barred.get(room_id, 0.0):
            raise Denied("its publisher asked for stream after stream")

    def forget(self) -> None:
        """Drops what does not matter any more."""
        self._asked.clear()
        self._barred = {room: until for room, until in self._barred.items() if until > self.clock.ticks()}
