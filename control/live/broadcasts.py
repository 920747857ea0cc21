"""The broadcasts of this node's rooms: from going live to going off air, over short gaps and over our own restarts."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field

from control.clock import Clock
from control.live.presence import Ending, Session

REMEMBERED = 600.0  # seconds after its end in which a publisher that nginx had all along may still turn up


@dataclass(slots=True)
class Broadcast:
    """Named by its room and its beginning. `at` times are in seconds since the epoch, others in ticks."""

    room_id: int
    started_at: float
    seen_at: float
    """When it was last known to be on air."""
    ended_at: float | None = None
    ending: Ending | None = None
    encoder: str = ""
    peak: int = 0
    """Most viewers at a time."""
    watch_seconds: float = 0.0
    """Of all viewers together, while it was on air."""
    viewers: set[str] = field(default_factory=set)
    """All who ever watched it."""
    fresh: set[str] = field(default_factory=set)
    """Those of them who are not written down yet."""
    saved: bool = False
    off_since: float | None = None
    """None: on air."""
    closed: bool = False
    """It cannot go on any more."""
    _publisher: Session | None = None
    _players: int = 0
    _looked: float = 0.0

    def look(self, publisher: Session, players: int, viewers: Set[str], clock: Clock) -> None:
        """It is on air: from this publisher, to that many, who are those as far as they are known."""
        self._watched(clock)
        self.ended_at = self.ending = self.off_since = None
        self._publisher, self._players, self.seen_at = publisher, players, clock.now()
        self.encoder = publisher.encoder or self.encoder
        self.peak = max(self.peak, players)
        self.fresh |= viewers - self.viewers
        self.viewers |= viewers

    def end(self, clock: Clock) -> None:
        self._watched(clock)
        self.off_since, self.ended_at = clock.ticks(), clock.now()
        self.ending = (self._publisher and self._publisher.ending) or Ending.LOST

    def close(self) -> None:
        self.closed, self.saved = True, False

    def _watched(self, clock: Clock) -> None:
        if self._publisher is not None and self.off_since is None:
            self.watch_seconds += self._players * (clock.ticks() - self._looked)
        self._looked, self.saved = clock.ticks(), False


class Broadcasts:
    """One that is back within `gap` seconds is the same one: it keeps its place in the lists."""

    def __init__(self, clock: Clock, gap: float) -> None:
        self._clock = clock
        self._gap = gap
        self._of_rooms: dict[int, Broadcast] = {}
        self._replaced: list[Broadcast] = []

    def resume(self, broadcast: Broadcast, said_every: float) -> None:
        """Takes over one that a control before this one wrote down: ended when it was last seen, unless it is seen
        again. It may have gone on for `said_every` seconds after that without its being written."""
        silent = self._clock.now() - (broadcast.ended_at or broadcast.seen_at + said_every)
        broadcast.off_since = self._clock.ticks() - max(0.0, silent)
        if broadcast.ended_at is None:
            broadcast.ended_at, broadcast.ending = broadcast.seen_at, Ending.LOST
        self._of_rooms[broadcast.room_id] = broadcast

    def on_air(self, publisher: Session, players: int, viewers: Set[str]) -> Broadcast:
        """The publisher's broadcast, which is on air now."""
        broadcast = self._of_rooms.get(publisher.room_id)
        if broadcast is None or self._is_over(broadcast, publisher):
            broadcast = self._begin(publisher.room_id, broadcast)
        broadcast.look(publisher, players, viewers, self._clock)
        return broadcast

    def off_air(self, but: Set[int]) -> None:
        """Every room is off air but those."""
        for broadcast in self._of_rooms.values():
            if broadcast.off_since is None and broadcast.room_id not in but:
                broadcast.end(self._clock)
            elif broadcast.off_since is not None and self._clock.ticks() - broadcast.off_since > REMEMBERED:
                broadcast.close()

    def unsaved(self) -> list[Broadcast]:
        return [each for each in (*self._replaced, *self._of_rooms.values()) if not each.saved]

    def saved(self) -> None:
        """All of them are written down as they are now."""
        for broadcast in self.unsaved():
            broadcast.saved = True
            broadcast.fresh.clear()
        self._replaced.clear()
        self._of_rooms = {room: broadcast for room, broadcast in self._of_rooms.items() if not broadcast.closed}

    def _begin(self, room_id: int, before: Broadcast | None) -> Broadcast:
        if before is not None:
            before.close()
            self._replaced.append(before)
        begun = self._of_rooms[room_id] = Broadcast(room_id, self._clock.now(), self._clock.now())
        return begun

    def _is_over(self, broadcast: Broadcast, publisher: Session) -> bool:
        # By when the publisher came, not by when we saw it: nginx may have had it all along while we could not look.
        return broadcast.off_since is not None and publisher.since - broadcast.off_since > self._gap
