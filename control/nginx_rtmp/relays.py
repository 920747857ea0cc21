"""How a room's stream gets from one rtmp nginx of a node to another.

A room is at home at the nginx that its first client came to. Whoever comes to another one is answered a redirect: a
player's nginx pulls the stream from there, once for all of its players, a publisher's nginx pushes it there. What they
are told to connect to bears a mark, by which the home knows them: docs/decisions/workers.md.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import structlog

from control.access.rights import parse_room_id
from control.access.tickets import Keys
from control.access.verdicts import Role
from control.clock import Clock, Ticks
from control.live.leases import Leases
from control.live.presence import Home, Presence, Session, SessionKey
from control.nginx_rtmp.control import RtmpControl
from control.nginx_rtmp.form import Callback
from control.nginx_rtmp.plan import AT_A_TIME, JOINING
from control.nginx_rtmp.stat import Looks, SeenClient, Snapshot, Stat, StatError
from control.refusals import Denied

ARGUMENT = "relay"
ENCODER = "LNX.11,1,102,55"  # what nginx-rtmp calls itself where it connects to another
HASHED = re.compile(r"[0-9a-f]{32}")
LOOPBACK = "127.0.0.1"
SHARED = 0.15  # seconds that a look at the home is good for all who ask
REMEMBERED = 60.0  # seconds that a name is kept at least
PUSH_ENDS = 1.0  # seconds that the push of an earlier publisher is given to end
PUSH_BEGINS = 2 * JOINING  # seconds in which a publisher's nginx has begun to push

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class RtmpNginx:
    """One of this node, and what we know it by."""

    node: str
    stat: Stat
    control: RtmpControl
    looks: Looks


class _Stream(NamedTuple):
    room: str
    home: Home
    noted_at: Ticks


class StreamNames:
    """Names of streams that are on their way: nginx-rtmp makes them of the address that it was redirected to."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._streams: dict[str, _Stream] = {}

    def room_of(self, name: str) -> tuple[str, Home | None]:
        """The name of the stream's room, and its home where that is another nginx."""
        stream = self._streams.get(name)
        return (stream.room, stream.home) if stream else (name, None)

    def note(self, location: str, room_id: int, home: Home) -> None:
        name = hashlib.md5(location.encode(), usedforsecurity=False).hexdigest()
        self._streams[name] = _Stream(str(room_id), home, self._clock.ticks())

    async def forget(self, presence: Presence) -> None:
        """Those of rooms where nobody is any more."""
        deadline = self._clock.ticks() - REMEMBERED
        for number, (name, stream) in enumerate(list(self._streams.items())):
            if number % AT_A_TIME == AT_A_TIME - 1:
                await asyncio.sleep(0)
            if stream.noted_at < deadline and not presence.has_room(int(stream.room)):
                self._streams.pop(name, None)


@dataclass(kw_only=True)
class Relays:
    nginxes: Mapping[str, RtmpNginx]
    names: StreamNames
    presence: Presence
    leases: Leases
    keys: Keys
    clock: Clock
    several: bool = field(init=False)
    """Whether there may be more than one nginx, here or at other nodes."""
    _learned: set[str] = field(default_factory=set)
    """Nginx of which all names are known under which rooms are on their way to them."""

    def __post_init__(self) -> None:
        self.several = len(self.nginxes) > 1 or self.leases.shared

    def home(self, room_id: int, here: Home) -> Home | None:
        """Where the room is at home; None where that is here, or nowhere yet. Where another node has its publisher,
        that node."""
        origin = self.leases.origin(room_id)
        if origin is not None:
            return origin
        for session in self.presence.each_in_room(room_id):
            if self._lives(session.room_home):  # those of an nginx that has ended may still be held
                return session.room_home if session.room_home != here else None
        return None

    async def prepare_home(self, room_id: int, here: Home) -> bool:
        """Sees that a publisher can be sent on: the home is there still, and has no push of an earlier publisher. True
        where that took time, in which anything may have changed."""
        home = self.home(room_id, here)
        if home is not None:
            try:
                await self.nginxes[home.node].stat.recent(SHARED)
            except StatError as failure:
                log.warning("stat failed", failure=str(failure))  # it may be well all the same
        pushes = [each.key for each in self.presence.each_in_room(room_id) if each.role is Role.PUSH]
        for push in pushes:
            await self.presence.over(push, PUSH_ENDS)
        return home is not None or bool(pushes)

    def enter(self, key: SessionKey, callback: Callback) -> None:
        """Another nginx of this node, which pulls a stream from here or pushes it here. Raises Denied."""
        role = Role.PUSH if callback.publishes else Role.PULL
        room_id = parse_room_id(callback.name)
        if not self._is_ours(role, room_id, key.place, callback):
            raise Denied("not a relay of ours")
        session = self.presence.get(key)
        if session is not None and session.role is not role:
            self.presence.end(key)  # it was found at nginx, and taken for something else
            session = None
        if session is not None:
            self.presence.hear(key)
        elif callback.begins and self.presence.ended_early(key):
            raise Denied("over before it began")
        elif callback.begins and role is Role.PUSH and not self._is_pushed(room_id, key.place):
            raise Denied("no publisher was sent here")
        else:
            home = self.home(room_id, key.place) if callback.address != LOOPBACK else None
            session = Session(key, role, room_id, callback.address, self.clock.ticks(), counted=False, home=home)
            self.presence.admit(session)

    def redirect(self, key: SessionKey) -> str:
        """What the nginx of a client that was let in is to connect to for its room's stream; "" for nothing."""
        session = self.presence.get(key)
        if session is None or session.home is None:
            return ""
        return self._location(Role.PUSH if session.role is Role.PUBLISHER else Role.PULL, session.room_id, session.home)

    def _location(self, role: Role, room_id: int, home: Home) -> str:
        mark = self.keys.mark(_text(role, room_id, home))
        location = f"rtmp://{self._address(home)}/live/{room_id}?{ARGUMENT}={mark}"
        self.names.note(location, room_id, home)
        return location

    def _address(self, home: Home) -> str:
        if home.node in self.nginxes:
            seen = self.nginxes[home.node].stat.latest
            assert seen is not None  # or it would be no room's home
            return seen.relay
        peer = self.leases.peer(home)
        assert peer is not None  # likewise
        return peer.rtmp

    def _is_ours(self, role: Role, room_id: int, home: Home, callback: Callback) -> bool:
        """Whether one comes to the home as it was told to. Its mark alone does not prove that: nginx-rtmp logs those of
        pushes."""
        if not self.several:
            return False
        if callback.address == LOOPBACK and self.keys.is_marked(_text(role, room_id, home), callback.relay):
            return True
        own = self.leases.own(room_id)  # another node's, from whichever of its addresses; it pushes nothing here
        return role is Role.PULL and own is not None and self.keys.is_marked(_text(role, room_id, own), callback.relay)

    def _is_pushed(self, room_id: int, home: Home) -> bool:
        """Whether the room's publisher was sent to its home."""
        publisher = self.presence.publisher(room_id)
        return publisher is not None and publisher.home == home

    async def learn(self, node: str, seen: Snapshot) -> None:
        """The names under which rooms of that nginx are on their way at others, to which an earlier control sent
        them."""
        if not self.several or node in self._learned:
            return
        if not self._learned:
            for room_id, home in self.leases.origins().items():
                self._location(Role.PULL, room_id, home)
        for number, room_id in enumerate({parse_room_id(client.name) for client in seen.clients} - {0}):
            if number % AT_A_TIME == AT_A_TIME - 1:
                await asyncio.sleep(0)
            for way in (Role.PULL, Role.PUSH):
                self._location(way, room_id, Home(node, seen.start))
        self._learned.add(node)

    def may_be_a_rooms(self, name: str) -> bool:
        """Whether a stream that was no room's when it was looked at may be one all the same: on its way to an nginx
        that has been heard of only since, or not yet."""
        if not self.several or not HASHED.fullmatch(name):
            return False
        return len(self._learned) < len(self.nginxes) or self.names.room_of(name)[1] is not None

    def role_of(self, client: SeenClient, update: Callback | None) -> Role:
        """Of one that nginx has and we did not know: as its update told, or as it looks in /stat. Who calls itself as
        nginx does, from this machine, is taken for a relay until its next update tells."""
        if update is not None:
            return update.role
        from_nginx = client.address == LOOPBACK or self.leases.is_peer(client.address)
        is_relay = self.several and client.encoder == ENCODER and from_nginx
        if client.publishing:
            return Role.PUSH if is_relay else Role.PUBLISHER
        return Role.PULL if is_relay else Role.PLAYER

    async def stranded(self, seen: Snapshot, sessions: Iterable[Session]) -> list[Session]:
        """Those of one nginx to which nothing comes from their room's publisher, or nothing goes to its viewers: their
        home has ended or hangs, or the stream is at another one now."""
        found = []
        joined = Ticks(seen.asked_at - PUSH_BEGINS)
        reached = {
            (parse_room_id(client.name), Role.PLAYER, client.home): True
            for client in seen.clients
            if client.is_relay and client.publishing and client.home and client.home.node not in self.nginxes
        }
        for number, session in enumerate(sessions if self.several else ()):
            if number % AT_A_TIME == AT_A_TIME - 1:
                await asyncio.sleep(0)
            if self._is_misplaced(session) or (session.since <= joined and not self._reaches_home(session, reached)):
                found.append(session)
        return found

    def _is_misplaced(self, session: Session) -> bool:
        origin = self.leases.origin(session.room_id)
        if origin is not None:
            return session.room_home != origin
        if not self._lives(session.room_home):
            return True
        publisher = self.presence.publisher(session.room_id)
        if publisher is None or publisher is session:
            return False
        return publisher.room_home != session.room_home

    def _reaches_home(self, session: Session, reached: dict[tuple[int, Role, Home], bool]) -> bool:
        """Whether a relay connects it to its room's home, as far as can be told. `reached`: rooms for which it is known
        already, since one may have thousands of players."""
        if session.home is None:
            return True
        if session.home.node in self.nginxes and not self.nginxes[session.home.node].looks.last_at:
            return True  # a control that has just started knows nobody at the home yet
        kind = session.room_id, session.role, session.home
        if kind not in reached:
            reached[kind] = any(_connects(each, session) for each in self.presence.each_in_room(session.room_id))
        return reached[kind]

    def _lives(self, home: Home) -> bool:
        """As far as its last look tells."""
        nginx = self.nginxes.get(home.node)
        return nginx is not None and nginx.stat.latest is not None and nginx.stat.latest.start == home.start


def _text(role: Role, room_id: int, home: Home) -> str:
    """What is marked. The start is in it, so that nobody comes to another life of the home."""
    return f"{role.value}/{room_id}/{home.node}/{home.start}"


def _connects(each: Session, session: Session) -> bool:
    """Whether it shows that the home has, and serves, what goes to or comes from a session elsewhere. Where the home
    hangs, the leases of all that it had run out."""
    return each.role is Role.PUSH if session.role is Role.PUBLISHER else each.key.place == session.home
