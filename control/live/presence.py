"""Who is here: the sessions that nginx holds for us, as far as we know. nginx is the truth; this is a cache of it.

A session is keyed by what nginx cannot confuse, never by a room's name: see the module's facts in docs/nginx-rtmp.md.
Everything here happens at once, without waiting, so that no two callbacks can come between each other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from control.access.verdicts import Credentials, Role
from control.clock import Clock
from control.live.stream_info import StreamInfo

REMEMBERED = 30  # seconds: how late a callback can still come


@dataclass(frozen=True, slots=True, order=True)
class SessionKey:
    node: str
    start: str
    """One life of the node's nginx: it numbers its clients from 1 again in the next."""
    client: int

    def __str__(self) -> str:
        return f"{self.node}.{self.start}.{self.client}"


class Ending(StrEnum):
    """Why a publisher is here no more."""

    LEFT = "left"
    """It went, or its connection broke."""
    SILENT = "silent"
    """Its link was dead: the connection stood, and nothing came any more."""
    GATE = "gate"
    """The room's owner ended the stream."""
    PASSWORD = "password"
    """It was let in by a password that is no longer the room's."""
    LOST = "lost"
    """nginx, control or the machine went down with it, and it was not there afterwards."""


@dataclass(slots=True)
class Session:
    key: SessionKey
    role: Role
    room_id: int
    address: str
    since: float
    """When it came. Ticks, as are all times here."""
    credentials: Credentials | None = None
    """None: found at nginx by a control that was not there when it was let in; its next update tells."""
    counted: bool = True
    """A viewer. An owner who previews their own room is none."""
    encoder: str = ""
    ending: Ending | None = None
    """Why it is over, or why it has been told to go."""
    over_at: float | None = None
    stream_info: StreamInfo | None = None
    """A publisher's, once nginx has measured it."""
    timestamp: int = 0
    """Of the last media, in the stream's own milliseconds."""
    media_at: float | None = None
    """When a new timestamp was last seen. None: no media yet."""
    heard_at: float = field(init=False)
    """When nginx last vouched for it."""

    def __post_init__(self) -> None:
        self.heard_at = self.since

    @property
    def live(self) -> bool:
        return self.role is Role.PUBLISHER and self.media_at is not None

    @property
    def user_id(self) -> int:
        """Who came by ticket; 0 for who came by password, which says nothing of who."""
        return self.credentials.ticket.user_id if self.credentials and self.credentials.ticket else 0

    @property
    def viewer(self) -> str:
        """Who watches, as far as it is known: the same user twice is one, the same player twice is two."""
        return str(self.user_id or self.key)


class Presence:
    """`changed` is set whenever status or a count may have."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sessions: dict[SessionKey, Session] = {}
        self._rooms: dict[int, dict[SessionKey, Session]] = {}
        self._gone: dict[SessionKey, float] = {}
        self._early: dict[SessionKey, float] = {}
        self.changed = asyncio.Event()

    def admit(self, session: Session) -> None:
        self._sessions[session.key] = session
        self._rooms.setdefault(session.room_id, {})[session.key] = session
        self.changed.set()

    def end(self, key: SessionKey, how: Ending = Ending.LEFT) -> Session | None:
        """Forgets a session, and remembers that it is over. One that had been told to go keeps the reason for that."""
        self._gone[key] = self._clock.ticks()
        session = self._sessions.pop(key, None)
        if session is None:
            self._early[key] = self._gone[key]  # its question may still be on its way here
            return None
        session.ending, session.over_at = session.ending or how, self._gone[key]
        room = self._rooms[session.room_id]
        del room[key]
        if not room:
            del self._rooms[session.room_id]
        self.changed.set()
        return session

    def gone_since(self, key: SessionKey) -> float | None:
        """When it was said to be over, if that was lately."""
        return self._gone.get(key)

    def ended_early(self, key: SessionKey) -> bool:
        """Whether an end came before its beginning. Each end answers for one beginning: a client may try again."""
        return self._early.pop(key, None) is not None

    def forget(self) -> None:
        """Drops what was remembered of sessions that are long over."""
        deadline = self._clock.ticks() - REMEMBERED
        self._gone = {key: at for key, at in self._gone.items() if at > deadline}
        self._early = {key: at for key, at in self._early.items() if at > deadline}

    def hear(self, session: Session, timestamp: int, active: bool = False) -> None:
        """nginx vouches for the session; `timestamp` is that of its last media, 0 for none."""
        session.heard_at = self._clock.ticks()
        if timestamp == session.timestamp and not (active and session.media_at is None):
            return
        if session.media_at is None:
            self.changed.set()
        session.timestamp = timestamp
        session.media_at = session.heard_at

    def get(self, key: SessionKey) -> Session | None:
        return self._sessions.get(key)

    def all(self) -> list[Session]:
        return list(self._sessions.values())

    def rooms(self) -> Iterable[int]:
        return self._rooms.keys()

    def in_room(self, room_id: int) -> list[Session]:
        return list(self._rooms.get(room_id, {}).values())

    def publisher(self, room_id: int) -> Session | None:
        return next((each for each in self.in_room(room_id) if each.role is Role.PUBLISHER), None)
