"""The broadcasts of this node's rooms: from going live to going off air, over short gaps and over our own restarts."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field

from control.clock import Clock
from control.live.presence import Ending, Session

REMEMBERED = 600.0  # seconds after its end in which a publisher that nginx had all along may still turn up


@dataclass(slots=True)
class Broadcast:
    """Named by its room and its beginning. `at` times are in seconds since the epoch as the clock was when it began, so
    that one that is set meanwhile makes it neither longer nor shorter; others are in ticks."""

    room_id: int
    started_at: float
    began: float
    seen_at: float
    """When it was last known to be on air."""
    publisher: str = ""
    """nginx's name of who sends it, or did last."""
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
    _session: Session | None = None
    _players: int = 0
    _looked: float = 0.0

    @property
    def is_left(self) -> bool:
        """Its publisher is gone, and that has not been noted yet."""
        return self.off_since is None and self._session is not None and self._session.over_at is not None

    def look(self, publisher: Session, players: int, viewers: Set[str], now: float) -> None:
        """It is on air: from this publisher, to that many, who are those."""
        self._watched(now)
        self.ended_at = self.ending = self.off_since = None
        self._session, self.publisher, self._players = publisher, str(publisher.key), players
        self.seen_at = self._at(now)
        self.encoder = publisher.encoder or self.encoder
        self.peak = max(self.peak, players)
        self.fresh |= viewers - self.viewers
        self.viewers |= viewers

    def end(self, now: float) -> None:
        assert self._session is not None
        gone = now if self._session.over_at is None else self._session.over_at
        self._watched(gone)
        self.off_since, self.ended_at = gone, self._at(gone)
        self.ending = self._session.ending or Ending.LOST

    def close(self) -> None:
        self.closed, self.saved = True, False

    def _watched(self, until: float) -> None:
        if self._session is not None and self.off_since is None:
            self.watch_seconds += self._players * max(0.0, until - self._looked)
        self._looked, self.saved = until, False

    def _at(self, ticks: float) -> float:
        return self.started_at + ticks - self.began


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
        last = broadcast.ended_at or broadcast.seen_at
        silent = self._clock.now() - (broadcast.ended_at or broadcast.seen_at + said_every)
        broadcast.off_since = self._clock.ticks() - max(0.0, silent)
        broadcast.began = self._clock.ticks() - max(self._clock.now(), last) + broadcast.started_at
        if broadcast.ended_at is None:
            broadcast.ended_at, broadcast.ending = broadcast.seen_at, Ending.LOST
        self._take(broadcast)

    def on_air(self, publisher: Session, players: int, viewers: Set[str]) -> Broadcast:
        """The publisher's broadcast, which is on air now, to that many players, who are those viewers."""
        now = self._clock.ticks()
        broadcast = self._of_rooms.get(publisher.room_id)
        if broadcast is not None and broadcast.is_left:
            broadcast.end(now)
        if broadcast is None or self._is_over(broadcast, publisher):
            broadcast = Broadcast(publisher.room_id, self._clock.now(), now, self._clock.now())
            self._take(broadcast)
        broadcast.look(publisher, players, viewers, now)
        return broadcast

    def off_air(self, but: Set[int]) -> None:
        """Every room is off air but those."""
        now = self._clock.ticks()
        for broadcast in self._of_rooms.values():
            if broadcast.off_since is None and broadcast.room_id not in but:
                broadcast.end(now)
            elif broadcast.off_since is not None and now - broadcast.off_since > REMEMBERED:
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

    def _take(self, broadcast: Broadcast) -> None:
        before = self._of_rooms.get(broadcast.room_id)
        if before is not None:
            before.close()
            self._replaced.append(before)
        self._of_rooms[broadcast.room_id] = broadcast

    def _is_over(self, broadcast: Broadcast, publisher: Session) -> bool:
        if broadcast.off_since is None:
            return False
        if broadcast.ending is Ending.LOST and str(publisher.key) == broadcast.publisher:
            return False  # nginx had it all along, and it was we who could not look
        return publisher.since - broadcast.off_since > self._gap
