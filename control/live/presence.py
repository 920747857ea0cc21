"""Who is here: the sessions that nginx holds for us, as far as we know. nginx is the truth; this is a cache of it.

A session is keyed by what nginx cannot confuse, never by a room's name: see docs/nginx-rtmp.md. Whatever affects a
session's life is `MOVES`, all of it, and only `Presence` writes a `Session`. Nothing here waits, but for `over`, so no
two callbacks can come between each other.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain, takewhile
from typing import NamedTuple

from control.access.verdicts import Credentials, Role
from control.clock import Clock, Ticks
from control.live.inputs import Inputs, Unkept
from control.live.states import MOVES, Ending, Event, State
from control.live.stream_info import StreamInfo

SOUND_FIRST = 2.0  # seconds by which an encoder may begin with sound before its video
REMEMBERED = 30  # seconds: how late a callback can still come


class SessionKey(NamedTuple):
    node: str
    start: str
    """One life of the node's nginx: it numbers its clients from 1 again in the next."""
    client: int

    @property
    def place(self) -> Home:
        """The nginx that has it."""
        return Home(self.node, self.start)

    def __str__(self) -> str:
        return f"{self.node}.{self.start}.{self.client}"


class Home(NamedTuple):
    """The rtmp nginx where a room's stream is whole: that which the first of the room's clients came to. Others pull it
    from there, and push it there (docs/decisions/workers.md)."""

    node: str
    start: str


@dataclass(slots=True)
class Session:
    """One publisher's or player's stream on one connection. Outside of this file it is read-only."""

    key: SessionKey
    role: Role
    room_id: int
    address: str
    since: Ticks
    """When it came."""
    credentials: Credentials | None = None
    """None: found at nginx by a control that was not there when it was let in; its next update tells."""
    counted: bool = True
    """A viewer. An owner who previews their own room is none."""
    encoder: str = ""
    home: Home | None = None
    """Where its room is at home, if not at the nginx that has it."""
    state: State = State.ADMITTED
    ending: Ending | None = None
    """Why it is over, or is to go."""
    over_at: Ticks | None = None
    stream_info: StreamInfo | None = None
    """A publisher's, once nginx has measured it."""
    sound_alone_at: Ticks | None = None
    """When nginx last told that sound had come for some time and no video at all. None: never."""
    timestamp: int = 0
    """Of the last media, in the stream's own milliseconds."""
    media_at: Ticks | None = None
    """When a new timestamp was last seen. None: no media yet."""
    heard_at: Ticks = field(init=False)
    """When nginx last vouched for it."""
    viewer: str = field(init=False)
    """Tells viewers apart as far as they are known: the same user twice is one, the same player twice is two."""

    def __post_init__(self) -> None:
        self.heard_at = self.since
        self.viewer = str(self.user_id or self.key)

    @property
    def room_home(self) -> Home:
        return self.home or self.key.place

    @property
    def watches(self) -> bool:
        """A player that is counted."""
        return self.role is Role.PLAYER and self.counted

    @property
    def live(self) -> bool:
        """A publisher whose room is on air: until it is over, also while it is to go."""
        return self.role is Role.PUBLISHER and self.media_at is not None

    @property
    def user_id(self) -> int:
        """Whose ticket it showed; 0 for a password, which does not tell the user."""
        return self.credentials.ticket.user_id if self.credentials and self.credentials.ticket else 0


class Passage(NamedTuple):
    room_id: int
    change: int
    """1: a viewer came; -1: one went; 0: anything else."""
    viewer: str
    """"" for one who is not identified."""


class Presence:
    """The only writer of sessions. `changed` is set whenever status or a count may have changed."""

    def __init__(self, clock: Clock, inputs: Inputs | None = None) -> None:
        self._clock = clock
        self._inputs: Inputs = inputs or Unkept()
        self._sessions: dict[SessionKey, Session] = {}
        self._rooms: defaultdict[int, dict[SessionKey, Session]] = defaultdict(dict)
        self._publishers: defaultdict[int, dict[SessionKey, Session]] = defaultdict(dict)
        self._ended: dict[SessionKey, Ticks] = {}
        self._ended_early: set[SessionKey] = set()
        self._awaited: dict[SessionKey, asyncio.Event] = {}
        self.changed = asyncio.Event()
        self.passages: deque[Passage] = deque()
        """Since they were last taken from here."""

    def admit(self, session: Session) -> None:
        for index in self._indexes(session):
            index[session.key] = session
        self._passes(session, 1)
        self._inputs.note("came", session)

    def identify(self, key: SessionKey, shown: Credentials, counted: bool, encoder: str) -> None:
        """What a client showed that was let in by an earlier control, or shows when it plays once more."""
        session = self._sessions[key]
        self._passes(session, -1)
        session.credentials, session.counted, session.encoder = shown, counted, encoder
        session.viewer = str(session.user_id or key)
        self._passes(session, 1)
        self._inputs.note("known", session)

    def hear(
        self, key: SessionKey, timestamp: int = 0, active: bool = False, stream_info: StreamInfo | None = None
    ) -> None:
        """nginx vouches for the session; `timestamp` is that of a publisher's last media, 0 for none. Nothing happens
        where it is not held."""
        session = self._sessions.get(key)
        if session is None:
            return
        session.heard_at = self._clock.ticks()
        if session.role is Role.PUBLISHER:
            if stream_info is not None:
                self._measured(session, stream_info, timestamp)
            if timestamp != session.timestamp or (active and session.media_at is None):
                self._media(session, timestamp)
            self._inputs.note("heard", session)

    def condemn(self, key: SessionKey, why: Ending) -> None:
        """The session is to go. The first reason stays. Nothing happens where it is not held."""
        session = self._sessions.get(key)
        if session is not None:
            session.ending = session.ending or why
            _move(session, Event.CONDEMNED)
            self._inputs.note("to go", session)

    def spare(self, key: SessionKey) -> None:
        """A condemned session may stay after all. Nothing happens to any other."""
        session = self._sessions.get(key)
        if session is not None and session.state is State.ENDING:
            session.ending = None
            _move(session, Event.SPARED_BEFORE_MEDIA if session.media_at is None else Event.SPARED)
            self._inputs.note("spared", session)

    def end(self, key: SessionKey, how: Ending = Ending.LEFT) -> None:
        """Forgets a session, and remembers that it is over. A condemned one keeps the reason for that."""
        now = self._clock.ticks()
        self._ended.pop(key, None)  # they stand in the order of their ends
        self._ended[key] = now
        session = self._sessions.get(key)
        if session is None:
            self._ended_early.add(key)  # its question may still be on its way here
            return
        session.ending, session.over_at = session.ending or how, now
        _move(session, Event.ENDED)
        for index in self._indexes(session):
            del index[key]
        for rooms in (self._rooms, self._publishers):
            if not rooms.get(session.room_id, True):
                del rooms[session.room_id]
        if awaited := self._awaited.pop(key, None):
            awaited.set()
        self._passes(session, -1)
        self._inputs.note("over", session)

    def ended_at(self, key: SessionKey) -> Ticks | None:
        """When an end was told, if that was lately."""
        return self._ended.get(key)

    def ended_early(self, key: SessionKey) -> bool:
        """Whether an end came before its beginning. Each end answers for one beginning: a client may try again."""
        if key not in self._ended_early:
            return False
        self._ended_early.remove(key)
        return True

    def forget(self) -> None:
        """Drops what is remembered of sessions that are long over."""
        deadline = self._clock.ticks() - REMEMBERED
        for key, _ in list(takewhile(lambda end: end[1] <= deadline, self._ended.items())):
            del self._ended[key]
            self._ended_early.discard(key)

    async def over(self, key: SessionKey, within: float) -> bool:
        """Whether the session is over, at the latest after so many seconds."""
        if key not in self._sessions:
            return True
        ended = self._awaited.setdefault(key, asyncio.Event())
        with suppress(TimeoutError):
            async with self._clock.within(within):
                await ended.wait()
        return ended.is_set()

    def get(self, key: SessionKey) -> Session | None:
        return self._sessions.get(key)

    def all(self) -> list[Session]:
        return list(self._sessions.values())

    def rooms(self) -> Iterable[int]:
        return self._rooms.keys()

    def has_room(self, room_id: int) -> bool:
        """Whether anybody is there."""
        return room_id in self._rooms

    def at(self, node: str) -> list[Session]:
        """Those of one nginx."""
        return [session for session in self._sessions.values() if session.key.node == node]

    def in_room(self, room_id: int) -> list[Session]:
        return list(self._rooms.get(room_id, {}).values())

    def each_in_room(self, room_id: int) -> Iterator[Session]:
        """Likewise, while nothing comes or goes."""
        return iter(self._rooms.get(room_id, {}).values())

    def publisher(self, room_id: int) -> Session | None:
        """The live one, where nginx and control differ for a moment and there are two."""
        publishers = self._publishers.get(room_id, {}).values()
        return next((publisher for publisher in publishers if publisher.live), next(iter(publishers), None))

    def publishers(self) -> Iterable[Session]:
        return chain.from_iterable(publishers.values() for publishers in self._publishers.values())

    def _measured(self, session: Session, stream_info: StreamInfo, timestamp: int) -> None:
        session.stream_info = stream_info
        if stream_info.is_sound_alone and timestamp >= 1000 * SOUND_FIRST:
            session.sound_alone_at = session.heard_at

    def _media(self, session: Session, timestamp: int) -> None:
        if session.media_at is None:
            self._passes(session, 0)
        session.timestamp, session.media_at = timestamp, session.heard_at
        _move(session, Event.MEDIA)

    def _passes(self, session: Session, change: int) -> None:
        viewer = session.viewer if session.credentials else ""
        self.passages.append(Passage(session.room_id, change if session.watches else 0, viewer))
        self.changed.set()

    def _indexes(self, session: Session) -> list[dict[SessionKey, Session]]:
        indexes = [self._sessions, self._rooms[session.room_id]]
        if session.role is Role.PUBLISHER:
            indexes.append(self._publishers[session.room_id])
        return indexes


def _move(session: Session, event: Event) -> None:
    session.state = MOVES[session.state, event]
