"""How many watch, and since when a room is live: what the sessions and heartbeats of a node amount to."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from control.clock import Clock
from control.live.heartbeats import Heartbeats
from control.live.presence import Presence, Session
from control.live.verdicts import Role


@dataclass(frozen=True, slots=True)
class OnAir:
    room_id: int
    live_since: float | None
    """Seconds since the epoch. None: viewers wait, nobody publishes."""
    players: int


@dataclass(slots=True)
class _Broadcast:
    since: float
    ended: float | None = None  # ticks


class Audience:
    """A broadcast that is back within `gap` seconds is the same one: it keeps its place in the lists."""

    def __init__(self, presence: Presence, heartbeats: Heartbeats, clock: Clock, gap: float) -> None:
        self._presence = presence
        self._heartbeats = heartbeats
        self._clock = clock
        self._gap = gap
        self._broadcasts: dict[int, _Broadcast] = {}

    def presume(self, live_since: dict[int, float]) -> None:
        """What was on air when a control before this one last wrote it down: over as of now, unless it is seen."""
        ended = self._clock.ticks()
        self._broadcasts = {room_id: _Broadcast(since, ended) for room_id, since in live_since.items()}

    def on_air(self) -> list[OnAir]:
        """Every room of the node with a publisher or a viewer."""
        now = self._clock.ticks()
        rooms = [self._room(room_id, now) for room_id in {*self._presence.rooms(), *self._heartbeats.rooms()}]
        present = {room.room_id for room in rooms}
        for room_id in self._broadcasts.keys() - present:
            self._end(room_id, now)
        return [room for room in rooms if room.live_since is not None or room.players]

    def _room(self, room_id: int, now: float) -> OnAir:
        sessions = self._presence.in_room(room_id)
        viewers = players(sessions, self._heartbeats.in_room(room_id).keys())
        if any(session.live for session in sessions):
            return OnAir(room_id, self._begin(room_id, now), viewers)
        self._end(room_id, now)
        return OnAir(room_id, None, viewers)

    def _begin(self, room_id: int, now: float) -> float:
        broadcast = self._broadcasts.get(room_id)
        if broadcast is None or (broadcast.ended is not None and now - broadcast.ended > self._gap):
            broadcast = self._broadcasts[room_id] = _Broadcast(self._clock.now())
        broadcast.ended = None
        return broadcast.since

    def _end(self, room_id: int, now: float) -> None:
        broadcast = self._broadcasts.get(room_id)
        if broadcast is None:
            return
        if broadcast.ended is None:
            broadcast.ended = now
        elif now - broadcast.ended > self._gap:
            del self._broadcasts[room_id]


def players(sessions: list[Session], over_hls: Set[int]) -> int:
    """RTMP sessions that play, and users over HLS who are not among them."""
    counted = [session for session in sessions if session.role is Role.PLAYER and session.counted]
    tickets = {session.credentials.ticket for session in counted if session.credentials}
    return len(counted) + len(over_hls - {ticket.user_id for ticket in tickets if ticket})
