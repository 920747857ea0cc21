"""Who watches and how many, and which rooms are live: what the sessions and heartbeats of a node amount to."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2s
from heapq import nsmallest
from itertools import chain

from control.access.verdicts import Role
from control.live.broadcasts import Broadcasts
from control.live.heartbeats import Beat, Heartbeats
from control.live.presence import Presence, Session


@dataclass(frozen=True, slots=True)
class OnAir:
    room_id: int
    live_since: float | None
    """Seconds since the epoch. None: viewers wait, nobody publishes."""
    players: int


@dataclass(frozen=True, slots=True)
class Viewer:
    """One who is counted."""

    id: str
    """Of their watching: nobody else's, also after it has ended."""
    user_id: int
    """0: let in by the viewing password, which says nothing of who."""
    since: float
    """Ticks."""
    session: Session | None
    """None: over HLS, where nginx holds no session."""


class Audience:
    def __init__(self, presence: Presence, heartbeats: Heartbeats, broadcasts: Broadcasts) -> None:
        self._presence = presence
        self._heartbeats = heartbeats
        self._broadcasts = broadcasts

    def on_air(self) -> list[OnAir]:
        """Every room of the node with a publisher or a viewer. Their broadcasts are told."""
        rooms = [self._room(room_id) for room_id in {*self._presence.rooms(), *self._heartbeats.rooms()}]
        self._broadcasts.off_air(but={room.room_id for room in rooms if room.live_since is not None})
        return [room for room in rooms if room.live_since is not None or room.players]

    def viewers(self, room_id: int, most: int) -> tuple[int, list[Viewer]]:
        """How many are counted, and those of them who are here the longest, at most so many."""
        sessions, beats = self._counted(room_id, self._presence.in_room(room_id))
        over_rtmp = nsmallest(most, sessions, key=lambda session: session.since)
        over_hls = nsmallest(most, beats.items(), key=lambda pair: pair[1].since)
        viewers = [*map(_over_rtmp, over_rtmp), *(_over_hls(user_id, beat) for user_id, beat in over_hls)]
        return len(sessions) + len(beats), sorted(viewers, key=lambda viewer: (viewer.since, viewer.id))[:most]

    def viewer(self, room_id: int, viewer_id: str) -> Viewer | None:
        """None for one who is not here, or not any more."""
        sessions, beats = self._counted(room_id, self._presence.in_room(room_id))
        over_rtmp = (_over_rtmp(session) for session in sessions if _id(session) == viewer_id)
        over_hls = (_over_hls(user_id, beat) for user_id, beat in beats.items() if f"hls.{user_id}" == viewer_id)
        return next(chain(over_rtmp, over_hls), None)

    def _room(self, room_id: int) -> OnAir:
        here = self._presence.in_room(room_id)
        sessions, beats = self._counted(room_id, here)
        players = len(sessions) + len(beats)
        publisher = next((session for session in here if session.live), None)
        if publisher is None:
            return OnAir(room_id, None, players)
        # Whom the last control let in is known by their next update: until then it may be the owner, or be here twice.
        known = [session for session in sessions if session.credentials]
        names = {session.viewer for session in known} | {str(user_id) for user_id in beats}
        broadcast = self._broadcasts.on_air(publisher, len(known) + len(beats), names)
        return OnAir(room_id, broadcast.started_at, players)

    def _counted(self, room_id: int, here: list[Session]) -> tuple[list[Session], dict[int, Beat]]:
        """RTMP sessions that play, and users over HLS who are not among them."""
        sessions = [session for session in here if session.role is Role.PLAYER and session.counted]
        over_hls = self._heartbeats.in_room(room_id)
        if not over_hls:
            return sessions, over_hls
        over_rtmp = {session.user_id for session in sessions}
        return sessions, {user_id: beat for user_id, beat in over_hls.items() if user_id not in over_rtmp}


def _over_rtmp(session: Session) -> Viewer:
    return Viewer(_id(session), session.user_id, session.since, session)


def _id(session: Session) -> str:
    """Not nginx's own name: the part of it that tells its lives apart is what our doors to it are known by."""
    return f"rtmp.{blake2s(str(session.key).encode(), digest_size=8).hexdigest()}"


def _over_hls(user_id: int, beat: Beat) -> Viewer:
    return Viewer(f"hls.{user_id}", user_id, beat.since, None)
