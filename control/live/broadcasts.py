"""The broadcasts of this node's rooms: from going live to going off air, over short gaps and over our own restarts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from math import inf

from control.clock import Clock, Epoch, Ticks
from control.live.audience import RoomNow
from control.live.presence import Session
from control.live.states import Ending
from control.storage.room_events import EventKind

LATE = 2.0  # seconds that the first media of a publisher who is back in time may need
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
    """As its metadata has it, or else as it said when it connected."""
    peak: int = 0
    """Most viewers at a time."""
    watch_seconds: float = 0.0
    """Of all viewers together, while it was on air."""
    viewers: set[str] = field(default_factory=set)
    """Everyone who ever watched it."""
    new_viewers: set[str] = field(default_factory=set)
    """Those of them who are not written down yet."""
    off_since: Ticks | None = None
    """None: on air."""
    first_publisher_at: Ticks = Ticks(inf)
    """When the first of its publishers came that this control knows of."""
    is_over: bool = False
    """Its publisher has been away for longer than a gap."""
    closed: bool = False
    """It cannot go on any more."""
    told: EventKind | None = None
    """The last of the room's events that is about it, as far as is known here."""
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

    @property
    def news(self) -> EventKind | None:
        """Which of the room's events should be the last that is about it."""
        if self._is_on_air:
            return EventKind.LIVE
        return EventKind.ENDED if self.is_over or self.closed else self.told

    def go_on(self, publisher: Session, room: RoomNow, now: Ticks) -> None:
        """It is on air, from this publisher."""
        watching = room.newcomers if self._is_on_air else room.viewers
        self._watched(now)
        self.ended_at = self.ending = self.off_since = None
        self.is_over = False
        if self.publisher != str(publisher.key) or not self.encoder:
            self.encoder = publisher.encoder or self.encoder
        self._session, self.publisher, self._players = publisher, str(publisher.key), room.identified
        self.first_publisher_at = min(self.first_publisher_at, publisher.since)
        self.seen_at = self._at(now)
        self.peak = max(self.peak, room.identified)
        if watching:
            new = set(watching) - self.viewers
            self.new_viewers |= new
            self.viewers |= new

    def is_encoded_by(self, encoder: str) -> None:
        self.encoder = encoder

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

    @property
    def name(self) -> tuple[int, Epoch]:
        return self.room_id, self.started_at

    @property
    def _is_on_air(self) -> bool:
        """As far as has been noted."""
        return self._session is not None and self.off_since is None

    def _watched(self, until: Ticks) -> None:
        if self._is_on_air:
            self.watch_seconds += self._players * max(0.0, until - self._observed)
        self._observed = until

    def _at(self, ticks: Ticks) -> Epoch:
        return Epoch(self.started_at + ticks - self.began)


class Broadcasts:
    """A publisher that is back within `gap` seconds goes on with its broadcast, which keeps its place in the lists."""

    def __init__(self, clock: Clock, gap: float) -> None:
        self._clock = clock
        self._gap = gap
        self._of_rooms: dict[int, Broadcast] = {}
        self._off_air: list[tuple[Ticks, int]] = []
        """Since when, and the room, as a heap; of some it is no longer so."""
        self._in_a_gap: list[tuple[Ticks, int]] = []
        """Likewise, of those that may go on as if nothing had been."""
        self._unsaved: dict[tuple[int, Epoch], Broadcast] = {}

    def resume(self, broadcast: Broadcast, written_every: float) -> None:
        """Takes over one that an earlier control wrote down: ended when it was last seen, unless it is seen again. It
        may have gone on for `written_every` seconds after that without its being written."""
        broadcast.resume(self._clock.now(), self._clock.ticks(), written_every)
        self._take(broadcast)
        self._went_off(broadcast)

    def give_up(self, room_id: int) -> None:
        """It is another node's to write now, which has read what was written here."""
        broadcast = self._of_rooms.pop(room_id, None)
        if broadcast is not None:
            self._unsaved.pop(broadcast.name, None)

    def observe(self, rooms: Iterable[RoomNow]) -> None:
        """How these are now; others are as they were."""
        now = self._clock.ticks()
        for room in rooms:
            if room.publisher is not None:
                self._go_on(room.publisher, room, now)
            elif (broadcast := self._of_rooms.get(room.room_id)) and broadcast.off_since is None:
                self._end(broadcast, now)
        for broadcast in self._off_for(self._gap + LATE, self._in_a_gap, now):
            broadcast.is_over = True
            self._unsaved[broadcast.name] = broadcast
        for broadcast in self._off_for(REMEMBERED, self._off_air, now):
            self._close(broadcast)

    def _off_for(self, seconds: float, heap: list[tuple[Ticks, int]], now: Ticks) -> Iterator[Broadcast]:
        """Takes them from the heap."""
        while heap and now - heap[0][0] > seconds:
            since, room_id = heappop(heap)
            if (broadcast := self._of_rooms.get(room_id)) and broadcast.off_since == since:
                yield broadcast

    def of_room(self, room_id: int) -> Broadcast | None:
        """The room's latest, for as long as it may go on."""
        return self._of_rooms.get(room_id)

    def encoded_by(self, room_id: int, encoder: str) -> bool:
        """Notes what encodes the room's broadcast. False where none is on air."""
        broadcast = self._of_rooms.get(room_id)
        if broadcast is None or broadcast.left_at is not None:
            return False
        broadcast.is_encoded_by(encoder)
        self._unsaved[broadcast.name] = broadcast
        return True

    def media_since(self, publisher: Session) -> Ticks:
        """A time before all media of the publisher's broadcast, and after that of the room's broadcast before."""
        broadcast = self._of_rooms.get(publisher.room_id)
        if broadcast is None or self._is_over(broadcast, publisher):
            return publisher.since
        return min(broadcast.began, broadcast.first_publisher_at, publisher.since)

    def unsaved(self) -> list[Broadcast]:
        return list(self._unsaved.values())

    def forget_told(self) -> None:
        """Another node may have said that some are over: what was told of them is in the database."""
        for broadcast in self._of_rooms.values():
            if broadcast.told is not None:
                broadcast.told = None
                self._unsaved[broadcast.name] = broadcast

    def saved(self, broadcasts: Iterable[Broadcast]) -> None:
        """They are written down as they are now."""
        for broadcast in broadcasts:
            self._unsaved.pop(broadcast.name, None)  # it may have been given up meanwhile
            broadcast.new_viewers.clear()
            if broadcast.closed and self._of_rooms.get(broadcast.room_id) is broadcast:
                del self._of_rooms[broadcast.room_id]

    def _go_on(self, publisher: Session, room: RoomNow, now: Ticks) -> None:
        broadcast = self._of_rooms.get(room.room_id)
        if broadcast is not None and broadcast.is_left:
            self._end(broadcast, now)
        if broadcast is None or self._is_over(broadcast, publisher):
            broadcast = Broadcast(room.room_id, self._clock.now(), now, self._clock.now())
            self._take(broadcast)
        broadcast.go_on(publisher, room, now)
        self._unsaved[broadcast.name] = broadcast

    def _end(self, broadcast: Broadcast, now: Ticks) -> None:
        broadcast.end(now)
        self._went_off(broadcast)

    def _close(self, broadcast: Broadcast) -> None:
        broadcast.closed = True
        self._unsaved[broadcast.name] = broadcast

    def _went_off(self, broadcast: Broadcast) -> None:
        assert broadcast.off_since is not None
        for heap in (self._off_air, self._in_a_gap):
            heappush(heap, (broadcast.off_since, broadcast.room_id))
        self._unsaved[broadcast.name] = broadcast

    def _take(self, broadcast: Broadcast) -> None:
        before = self._of_rooms.get(broadcast.room_id)
        if before is not None:
            self._close(before)
        self._of_rooms[broadcast.room_id] = broadcast

    def _is_over(self, broadcast: Broadcast, publisher: Session) -> bool:
        if broadcast.left_at is None:
            return False
        if broadcast.ending is Ending.LOST and str(publisher.key) == broadcast.publisher:
            return False  # nginx had it all along; control was out of hearing
        return publisher.since - broadcast.left_at > self._gap
