"""The broadcasts of this node's rooms: from going live to going off air, over short gaps and over our own restarts."""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass, field
from math import inf

from control.clock import Clock, Epoch, Ticks
from control.live.audience import RoomNow
from control.live.presence import Ending, Session

REMEMBERED = 600.0  # seconds after its end in which a publisher that nginx had all along may still turn up


@dataclass(slots=True)
class Broadcast:
    """Named by its room and its start. Its times of day are counted from the start, so a clock that is set meanwhile
    makes it neither longer nor shorter."""

    room_id: int
    started_at: Epoch
    began: Ticks
    """The start, by the clock that only grows."""
    seen_at: Epoch
    """When it was last known to be on air."""
    publisher: str = ""
    """The key of the session that sends it, or did last."""
    ended_at: Epoch | None = None
    ending: Ending | None = None
    encoder: str = ""
    peak: int = 0
    """Most viewers at a time."""
    watch_seconds: float = 0.0
    """Of all viewers together, while it was on air."""
    viewers: set[str] = field(default_factory=set)
    """Everyone who ever watched it."""
    new_viewers: set[str] = field(default_factory=set)
    """Those of them who are not written down yet."""
    saved: bool = False
    off_since: Ticks | None = None
    """None: on air."""
    first_publisher_at: Ticks = Ticks(inf)
    """When the first of its publishers came that this control knows of."""
    closed: bool = False
    """It cannot go on any more."""
    _session: Session | None = None
    _players: int = 0
    _observed: Ticks = Ticks(0.0)

    @property
    def left_at(self) -> Ticks | None:
        """When its publisher left, also if that has not been noted yet. None: it is there."""
        return self._session.over_at if self.off_since is None and self._session is not None else self.off_since

    @property
    def is_left(self) -> bool:
        """Its publisher is gone, and that has not been noted yet."""
        return self.off_since is None and self.left_at is not None

    def go_on(self, publisher: Session, players: int, viewers: Set[str], now: Ticks) -> None:
        """It is on air: from this publisher, to so many players, who are these viewers."""
        self._watched(now)
        self.ended_at = self.ending = self.off_since = None
        self._session, self.publisher, self._players = publisher, str(publisher.key), players
        self.first_publisher_at = min(self.first_publisher_at, publisher.since)
        self.seen_at = self._at(now)
        self.encoder = publisher.encoder or self.encoder
        self.peak = max(self.peak, players)
        self.new_viewers |= viewers - self.viewers
        self.viewers |= viewers

    def end(self, now: Ticks) -> None:
        assert self._session is not None
        gone = now if self._session.over_at is None else self._session.over_at
        self._watched(gone)
        self.off_since, self.ended_at = gone, self._at(gone)
        self.ending = self._session.ending or Ending.LOST

    def resume(self, now: Epoch, ticks: Ticks, written_every: float) -> None:
        """Settles what an earlier control could not write: where this process's ticks stand, and how it ended."""
        silent = now - (self.ended_at or self.seen_at + written_every)
        self.off_since = Ticks(ticks - max(0.0, silent))
        self.began = Ticks(ticks - max(now, self.ended_at or self.seen_at) + self.started_at)
        if self.ended_at is None:
            self.ended_at, self.ending = self.seen_at, Ending.LOST

    def close(self) -> None:
        self.closed, self.saved = True, False

    def _watched(self, until: Ticks) -> None:
        if self._session is not None and self.off_since is None:
            self.watch_seconds += self._players * max(0.0, until - self._observed)
        self._observed, self.saved = until, False

    def _at(self, ticks: Ticks) -> Epoch:
        return Epoch(self.started_at + ticks - self.began)


class Broadcasts:
    """A publisher that is back within `gap` seconds goes on with its broadcast, which keeps its place in the lists."""

    def __init__(self, clock: Clock, gap: float) -> None:
        self._clock = clock
        self._gap = gap
        self._of_rooms: dict[int, Broadcast] = {}
        self._replaced: list[Broadcast] = []

    def resume(self, broadcast: Broadcast, written_every: float) -> None:
        """Takes over one that an earlier control wrote down: ended when it was last seen, unless it is seen again. It
        may have gone on for `written_every` seconds after that without its being written."""
        broadcast.resume(self._clock.now(), self._clock.ticks(), written_every)
        self._take(broadcast)

    def observe(self, rooms: Iterable[RoomNow]) -> None:
        """What is on air now; every other room is off air."""
        now, on_air = self._clock.ticks(), set[int]()
        for room in rooms:
            if room.publisher is not None:
                self._go_on(room.publisher, room, now)
                on_air.add(room.room_id)
        for broadcast in self._of_rooms.values():
            if broadcast.off_since is None and broadcast.room_id not in on_air:
                broadcast.end(now)
            elif broadcast.off_since is not None and now - broadcast.off_since > REMEMBERED:
                broadcast.close()

    def of_room(self, room_id: int) -> Broadcast | None:
        """The room's latest, for as long as it may go on."""
        return self._of_rooms.get(room_id)

    def media_since(self, publisher: Session) -> Ticks:
        """A time before all media of the publisher's broadcast, and after that of the room's broadcast before."""
        broadcast = self._of_rooms.get(publisher.room_id)
        if broadcast is None or self._is_over(broadcast, publisher):
            return publisher.since
        return min(broadcast.began, broadcast.first_publisher_at, publisher.since)

    def unsaved(self) -> list[Broadcast]:
        return [each for each in (*self._replaced, *self._of_rooms.values()) if not each.saved]

    def saved(self) -> None:
        """All of them are written down as they are now."""
        for broadcast in self.unsaved():
            broadcast.saved = True
            broadcast.new_viewers.clear()
        self._replaced.clear()
        self._of_rooms = {room: broadcast for room, broadcast in self._of_rooms.items() if not broadcast.closed}

    def _go_on(self, publisher: Session, room: RoomNow, now: Ticks) -> None:
        broadcast = self._of_rooms.get(room.room_id)
        if broadcast is not None and broadcast.is_left:
            broadcast.end(now)
        if broadcast is None or self._is_over(broadcast, publisher):
            broadcast = Broadcast(room.room_id, self._clock.now(), now, self._clock.now())
            self._take(broadcast)
        broadcast.go_on(publisher, room.identified, room.viewers, now)

    def _take(self, broadcast: Broadcast) -> None:
        before = self._of_rooms.get(broadcast.room_id)
        if before is not None:
            before.close()
            self._replaced.append(before)
        self._of_rooms[broadcast.room_id] = broadcast

    def _is_over(self, broadcast: Broadcast, publisher: Session) -> bool:
        if broadcast.left_at is None:
            return False
        if broadcast.ending is Ending.LOST and str(publisher.key) == broadcast.publisher:
            return False  # nginx had it all along; control was out of hearing
        return publisher.since - broadcast.left_at > self._gap
