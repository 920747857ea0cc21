"""Who watches, and which rooms are live, by the sessions and heartbeats of this node. Changes nothing."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from hashlib import blake2s
from heapq import nsmallest
from itertools import chain

from control.access.verdicts import Role
from control.clock import Ticks
from control.live.heartbeats import Heartbeat, Heartbeats
from control.live.presence import Presence, Session


@dataclass(frozen=True, slots=True)
class RoomNow:
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


@dataclass(frozen=True, slots=True)
class Viewer:
    """One who is counted."""

    id: str
    """Names this viewing for as long as it lasts, and is not used again."""
    user_id: int
    """0: let in by the viewing password, which does not tell the user."""
    since: Ticks
    session: Session | None
    """None: over HLS, where nginx holds no session."""


class Audience:
    def __init__(self, presence: Presence, heartbeats: Heartbeats) -> None:
        self._presence = presence
        self._heartbeats = heartbeats

    def snapshot(self) -> list[RoomNow]:
        """Every room of the node with a live publisher or a viewer."""
        rooms = [self._room(room_id) for room_id in {*self._presence.rooms(), *self._heartbeats.rooms()}]
        return [room for room in rooms if room.publisher or room.players]

    def viewers(self, room_id: int, most: int) -> tuple[int, list[Viewer]]:
        """How many are counted, and those of them who are here the longest, at most so many."""
        sessions, beats = self._counted(room_id)
        over_rtmp = nsmallest(most, sessions, key=lambda session: session.since)
        over_hls = nsmallest(most, beats.items(), key=lambda pair: pair[1].since)
        viewers = [*map(_over_rtmp, over_rtmp), *(_over_hls(user_id, beat) for user_id, beat in over_hls)]
        return len(sessions) + len(beats), sorted(viewers, key=lambda viewer: (viewer.since, viewer.id))[:most]

    def viewer(self, room_id: int, viewer_id: str) -> Viewer | None:
        """None for one who is not here, or not any more."""
        sessions, beats = self._counted(room_id)
        over_rtmp = (_over_rtmp(session) for session in sessions if _id(session) == viewer_id)
        over_hls = (_over_hls(user_id, beat) for user_id, beat in beats.items() if f"hls.{user_id}" == viewer_id)
        return next(chain(over_rtmp, over_hls), None)

    def addresses(self, room_id: int, user_id: int) -> set[str]:
        """Where a user watches a room from now, as far as their ticket tells who they are."""
        sessions = (each for each in self._presence.in_room(room_id) if each.role is Role.PLAYER)
        found = {each.address for each in sessions if user_id and each.user_id == user_id}
        beat = self._heartbeats.in_room(room_id).get(user_id)
        return found | ({beat.address} if beat and beat.address else set())

    def _room(self, room_id: int) -> RoomNow:
        publisher = self._presence.publisher(room_id)
        sessions, beats = self._counted(room_id)
        identified = [session for session in sessions if session.credentials]
        return RoomNow(
            room_id,
            publisher if publisher and publisher.live else None,
            len(sessions) + len(beats),
            len(identified) + len(beats),
            {session.viewer for session in identified} | {str(user_id) for user_id in beats},
        )

    def _counted(self, room_id: int) -> tuple[list[Session], dict[int, Heartbeat]]:
        """RTMP sessions that play, and users over HLS who are not among them."""
        here = self._presence.in_room(room_id)
        sessions = [session for session in here if session.role is Role.PLAYER and session.counted]
        over_hls = self._heartbeats.in_room(room_id)
        if not over_hls:
            return sessions, over_hls
        over_rtmp = {session.user_id for session in sessions}
        return sessions, {user_id: beat for user_id, beat in over_hls.items() if user_id not in over_rtmp}


def _over_rtmp(session: Session) -> Viewer:
    return Viewer(_id(session), session.user_id, session.since, session)


def _id(session: Session) -> str:
    """Hashed: the raw key holds nginx's start id, which is the secret part of our callback URLs."""
    return f"rtmp.{blake2s(str(session.key).encode(), digest_size=8).hexdigest()}"


def _over_hls(user_id: int, beat: Heartbeat) -> Viewer:
    return Viewer(f"hls.{user_id}", user_id, beat.since, None)
