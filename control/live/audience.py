"""Who watches, and which rooms are live, by the sessions and heartbeats of this node."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from hashlib import blake2s
from heapq import nsmallest
from itertools import chain
from typing import NamedTuple

from control.access.verdicts import Role
from control.clock import Ticks
from control.live.crowds import Crowd
from control.live.heartbeats import Heartbeat, Heartbeats
from control.live.presence import Presence, Session, SessionKey
from control.live.viewer_events import ViewerEvents

TOLD = 10_000  # viewers' ids, of which it is known whose they are; to find another's takes a hash of each who is there
NOBODY = SessionKey("", "", 0)


class RoomNow(NamedTuple):
    """One room at one moment."""

    room_id: int
    publisher: Session | None
    """None: off air, while viewers wait."""
    players: int
    """All who are counted."""
    identified: int
    """Those of them whose credentials are known: until its first update a player that an earlier control let in may be
    the owner, or be here twice."""
    viewers: Set[str]
    """The identified ones, each user once."""
    newcomers: Set[str]
    """Those of them who were not there the last time."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """One who is counted."""

    id: str
    """Names this viewing for as long as it lasts, and is not used again."""
    user_id: int
    """0: let in by the viewing password, which does not tell the user."""
    since: Ticks
    session: Session | None
    """None: over HLS, where nginx holds no session, or at another node."""
    protocol: str
    """`rtmp` or `hls`."""


class Audience:
    def __init__(self, presence: Presence, heartbeats: Heartbeats, events: ViewerEvents | None = None) -> None:
        self._presence = presence
        self._heartbeats = heartbeats
        self._events = events
        self._crowds: defaultdict[int, Crowd] = defaultdict(Crowd)
        self._told: dict[str, SessionKey] = {}
        """Which session an id means, of the last that somebody was told."""

    def changed(self, most: int) -> Sequence[int]:
        """Rooms that may have changed since this was last asked, by at most so many passages of a kind; none once all
        are told. To be asked by one alone, who looks at each."""
        rooms: dict[int, None] = {}
        ways = (self._presence.passages, Crowd.count), (self._heartbeats.passages, Crowd.count_over_hls)
        for passages, count in ways:
            for _ in range(min(most, len(passages))):
                room_id, change, viewer = passages.popleft()
                if change:
                    self._count(count, room_id, viewer, change)
                rooms[room_id] = None
        for room_id in rooms:
            if room_id in self._crowds and not self._crowds[room_id].players:
                del self._crowds[room_id]
        return list(rooms)

    def _count(self, count: Callable[[Crowd, str, int], None], room_id: int, viewer: str, change: int) -> None:
        crowd = self._crowds[room_id]
        if not (self._events and viewer and room_id in self._events.rooms):
            return count(crowd, viewer, change)
        was_there = viewer in crowd.viewers
        count(crowd, viewer, change)
        if was_there != (viewer in crowd.viewers):
            self._events.note(room_id, viewer, not was_there)

    def room(self, room_id: int) -> RoomNow:
        """Its viewers are those of the moment: they go on changing."""
        publisher = self._presence.publisher(room_id)
        crowd = self._crowds.get(room_id) or Crowd()
        return RoomNow(
            room_id,
            publisher if publisher and publisher.live else None,
            crowd.players,
            crowd.identified,
            crowd.viewers,
            crowd.take_newcomers(),
        )

    def viewers(self, room_id: int, most: int) -> tuple[int, list[Viewer]]:
        """How many are counted, and those of them who are here the longest, at most so many."""
        sessions, beats = self._counted(room_id)
        over_rtmp = nsmallest(most, sessions, key=lambda session: session.since)
        over_hls = nsmallest(most, beats.items(), key=lambda pair: pair[1].since)
        viewers = [*map(_over_rtmp, over_rtmp), *(_over_hls(user_id, beat) for user_id, beat in over_hls)]
        told = sorted(viewers, key=lambda viewer: (viewer.since, viewer.id))[:most]
        self._told |= {viewer.id: viewer.session.key for viewer in told if viewer.session}
        while len(self._told) > TOLD:
            del self._told[next(iter(self._told))]
        return len(sessions) + len(beats), told

    def viewer(self, room_id: int, viewer_id: str) -> Viewer | None:
        """None for one who is not here, or not any more."""
        sessions, beats = self._counted(room_id)
        if told := self._presence.get(self._told.get(viewer_id, NOBODY)):
            sessions = [told] if told.room_id == room_id and told.watches else []
        over_rtmp = (_over_rtmp(session) for session in sessions if _id(session) == viewer_id)
        over_hls = (_over_hls(user_id, beat) for user_id, beat in beats.items() if f"hls.{user_id}" == viewer_id)
        return next(chain(over_rtmp, over_hls), None)

    def addresses(self, room_id: int, user_id: int) -> set[str]:
        """Where a user watches a room from now, as far as their ticket tells who they are."""
        sessions = (each for each in self._presence.in_room(room_id) if each.role is Role.PLAYER)
        found = {each.address for each in sessions if user_id and each.user_id == user_id}
        beat = self._heartbeats.in_room(room_id).get(user_id)
        return found | ({beat.address} if beat and beat.address else set())

    def users(self, room_id: int) -> set[int]:
        """Who watches by ticket; guests are below 0."""
        return {each.user_id for each in self._presence.in_room(room_id)} | self._heartbeats.in_room(room_id).keys()

    def _counted(self, room_id: int) -> tuple[list[Session], dict[int, Heartbeat]]:
        """RTMP sessions that play, and users over HLS who are not among them."""
        sessions = [session for session in self._presence.in_room(room_id) if session.watches]
        over_hls = self._heartbeats.in_room(room_id)
        if not over_hls:
            return sessions, over_hls
        over_rtmp = {session.user_id for session in sessions}
        return sessions, {user_id: beat for user_id, beat in over_hls.items() if user_id not in over_rtmp}


def _over_rtmp(session: Session) -> Viewer:
    return Viewer(_id(session), session.user_id, session.since, session, "rtmp")


def _id(session: Session) -> str:
    """Hashed: the raw key holds nginx's start id, which is the secret part of our callback URLs."""
    return f"rtmp.{blake2s(str(session.key).encode(), digest_size=8).hexdigest()}"


def _over_hls(user_id: int, beat: Heartbeat) -> Viewer:
    return Viewer(f"hls.{user_id}", user_id, beat.since, None, "hls")
