"""Lets publishers and players of this node in, looks after them, and puts them out."""

from __future__ import annotations

import asyncio
import re

import structlog

from control.clock import Clock
from control.delivery.box_office import BoxOffice
from control.delivery.hls_door import HlsDoor
from control.live.presence import REMEMBERED, Ending, Presence, Session, SessionKey
from control.live.verdicts import Credentials, Role
from control.nodes.form import Callback
from control.nodes.plan import JOINING
from control.nodes.rtmp_control import ControlError, RtmpControl
from control.nodes.stat import Stat, StatError
from control.refusals import Denied, GateShut
from control.storage.tables import LAST_ROOM_ID

DEAD = 10.0  # seconds without media after which a publisher that is gone had lost its link before
OUT_OF_HEARING = 6.0  # seconds since /stat was last read, which is done every two
LOOK_AGAIN = 0.3  # seconds between two looks at a publisher that may have fallen silent
LONGEST_LOOK = 6.0  # seconds; nginx waits longer for a verdict, netcall_timeout

_ROOM_ID = re.compile(r"[1-9]\d{0,9}", re.ASCII)
log = structlog.get_logger()


def room_id(name: str) -> int:
    """The room a stream's name means. Raises Denied for any name we did not give out."""
    if not _ROOM_ID.fullmatch(name) or int(name) > LAST_ROOM_ID:
        raise Denied("not a room id")
    return int(name)


class Door:
    """`silent` is after how many seconds without media a publisher gives way to the next."""

    def __init__(
        self,
        presence: Presence,
        box_office: BoxOffice,
        hls_door: HlsDoor,
        stat: Stat,
        control: RtmpControl,
        clock: Clock,
        silent: float,
    ) -> None:
        self._presence = presence
        self._box_office = box_office
        self._hls_door = hls_door
        self._stat = stat
        self._control = control
        self._clock = clock
        self._silent = silent
        self._awaited: dict[SessionKey, tuple[Callback, float]] = {}
        self._looked_at = 0.0
        self.nudge = asyncio.Event()
        """Set when /stat should be read soon."""

    def known_room(self, name: str) -> int | None:
        """The room of a stream's name, None for any other name: people paste their passwords there by mistake."""
        try:
            room = room_id(name)
        except Denied:
            return None
        return room if self._box_office.rights(room) else None

    async def publish(self, key: SessionKey, callback: Callback) -> None:
        """Raises Denied."""
        room, shown = room_id(callback.name), self._shown(callback)
        self._box_office.admit(Role.PUBLISHER, room, shown)
        self._check_new(key)
        if self._clock.ticks() - self._looked_at > OUT_OF_HEARING and self._presence.publisher(room) is None:
            await self._refuse_beside_unknown(room)
        holder = self._presence.publisher(room)
        if holder is not None:
            await self._make_way(room, holder)
            self._check_new(key)
            self._box_office.admit(Role.PUBLISHER, room, shown)
        self._enter(key, Role.PUBLISHER, room, shown, callback)
        self.nudge.set()

    def play(self, key: SessionKey, callback: Callback) -> None:
        """Raises Denied."""
        room, shown = room_id(callback.name), self._shown(callback)
        self._box_office.admit(Role.PLAYER, room, shown)
        self._check_new(key)
        self._enter(key, Role.PLAYER, room, shown, callback)

    def update(self, key: SessionKey, callback: Callback) -> None:
        """Asks for the verdict again. Raises Denied."""
        session = self._presence.get(key)
        if session is None:
            return self._unknown(key, callback)
        if session.credentials is None:
            self._identify(session, callback)
        if session.ending is not None:
            raise Denied("put out before")  # and nginx did not hear of it
        self._judge(session)
        if session.role is Role.PUBLISHER:
            self._presence.hear(session, callback.timestamp)
        else:
            session.heard_at = self._clock.ticks()

    def end(self, key: SessionKey) -> None:
        self._awaited.pop(key, None)
        session = self._presence.get(key)
        if session is not None:
            self._presence.end(key, Ending.SILENT if self._quiet_for(session) >= DEAD else Ending.LEFT)
            _log_passage(session, "left")
        else:
            self._presence.end(key)

    async def reconsider(self, room: int) -> None:
        """Puts out at once whoever of a room may no longer be here."""
        self._hls_door.reconsider(room)
        for session in self._presence.in_room(room):
            if session.credentials is None:
                continue  # its next update tells what let it in
            try:
                self._judge(session)
            except Denied as denied:
                await self.put_out(session, denied.reason)

    async def put_out(self, session: Session, reason: str, how: Ending = Ending.LEFT) -> bool:
        """Whether it is gone. Raises nothing: a session that cannot be dropped now is refused at its next update."""
        session.ending = session.ending or how
        log.info(f"{session.role.value} put out", room=session.room_id, client=session.key.client, reason=reason)
        try:
            dropped = await self._control.drop(session.key.client)
        except ControlError as failure:
            log.warning("drop failed", client=session.key.client, failure=str(failure))
            return False
        if dropped:
            self._presence.end(session.key)
        return dropped

    def adopt(self, session: Session) -> None:
        """Takes in a session that nginx has and we did not know, with what its updates said of it."""
        callback, _ = self._awaited.pop(session.key, (None, 0.0))
        self._presence.admit(session)
        if callback is not None:
            self._identify(session, callback)

    def looked(self, at: float) -> None:
        """/stat was read, and whoever it shows is held; `at` is in ticks."""
        self._looked_at = at

    def forget(self) -> None:
        """Drops viewers who stopped watching, and updates of sessions that were never seen."""
        self._hls_door.expire()
        deadline = self._clock.ticks() - REMEMBERED
        self._awaited = {key: pair for key, pair in self._awaited.items() if pair[1] > deadline}

    def _judge(self, session: Session) -> None:
        """Asks for the verdict again. Raises Denied, and notes why this session is to end."""
        assert session.credentials is not None
        try:
            self._box_office.admit(session.role, session.room_id, session.credentials)
        except Denied as denied:
            session.ending = Ending.GATE if isinstance(denied, GateShut) else Ending.PASSWORD
            raise

    def _quiet_for(self, session: Session) -> float:
        """Seconds since a publisher's last media."""
        return self._clock.ticks() - session.media_at if session.media_at is not None else 0.0

    def _unknown(self, key: SessionKey, callback: Callback) -> None:
        """An update of a session we know nothing of: judged afresh, and taken in once /stat shows it."""
        role = Role.PUBLISHER if callback.publishes else Role.PLAYER
        self._box_office.admit(role, room_id(callback.name), self._shown(callback))
        _, first = self._awaited.setdefault(key, (callback, self._clock.ticks()))
        # nginx goes on updating a second publisher that it turned away itself, and /stat never shows that one.
        # Where /stat could not be read since, there is no telling, and a stream that runs is not cut.
        if self._looked_at - first > LONGEST_LOOK:
            raise Denied("not in any stream")
        self.nudge.set()

    def _identify(self, session: Session, callback: Callback) -> None:
        session.credentials = self._shown(callback)
        session.encoder = callback.encoder
        session.counted = session.role is Role.PLAYER and self._box_office.is_viewer(
            session.room_id, session.credentials
        )
        self._presence.changed.set()

    def _shown(self, callback: Callback) -> Credentials:
        return self._box_office.credentials(callback.argument("pwd"), callback.argument("ticket"))

    def _check_new(self, key: SessionKey) -> None:
        if self._presence.ended_early(key):
            raise Denied("over before it began")
        if self._presence.get(key) is not None:
            raise Denied("a second stream on one connection")

    def _enter(self, key: SessionKey, role: Role, room: int, shown: Credentials, callback: Callback) -> None:
        self._awaited.pop(key, None)
        session = Session(
            key,
            role,
            room,
            callback.address,
            self._clock.ticks(),
            shown,
            counted=role is Role.PLAYER and self._box_office.is_viewer(room, shown),
            encoder=callback.encoder,
        )
        self._presence.admit(session)
        _log_passage(session, "let in")

    async def _make_way(self, room: int, holder: Session) -> None:
        """Returns once the room has no publisher: one that has fallen silent is dropped. Raises Denied if it has one.

        A newcomer waits until it is known whether the one before still sends: an encoder whose link broke is back
        within a second or two, often before anything here can tell that the old connection is dead.
        """
        deadline = self._clock.ticks() + LONGEST_LOOK
        looked: int | None = None
        while self._presence.get(holder.key) is holder:
            joining = self._clock.ticks() - holder.since < JOINING
            if not await self._is_there(holder) and not joining:
                self._presence.end(holder.key)
            elif looked not in (None, holder.timestamp) or self._clock.ticks() > deadline:
                raise Denied(f"already live from {holder.address}")
            else:
                looked = holder.timestamp
                silent = self._clock.ticks() - (holder.media_at or holder.since) >= self._silent
                if not (silent and await self._retire(holder)):
                    await asyncio.sleep(LOOK_AGAIN)
        if self._presence.publisher(room) is not None:
            raise Denied("another publisher was quicker")

    async def _retire(self, holder: Session) -> bool:
        """Whether a silent publisher is gone. One that could not be dropped may yet be heard again, and then stays."""
        gone = await self.put_out(holder, "silent, and another publisher came", Ending.SILENT)
        if self._presence.get(holder.key) is holder:
            holder.ending = None
        return gone

    async def _refuse_beside_unknown(self, room: int) -> None:
        """nginx has been out of hearing, and leases ran out: a publisher that we gave up may be there all the same.
        Raises Denied where one is."""
        try:
            snapshot = await self._stat.read()
        except StatError as failure:
            log.warning("stat failed", failure=str(failure))
            return  # as empty as far as we know
        if any(client.publishing and client.name == str(room) for client in snapshot.clients):
            self.nudge.set()
            raise Denied("already live from one that was out of hearing")

    async def _is_there(self, holder: Session) -> bool:
        """Asks /stat about one publisher. Raises Denied if there is no telling."""
        try:
            snapshot = await self._stat.read()
        except StatError as failure:
            log.warning("stat failed", failure=str(failure))
            raise Denied("cannot tell whether it is live already") from failure
        if snapshot.start != holder.key.start:
            return False
        client = next((each for each in snapshot.clients if each.client == holder.key.client), None)
        if client is not None:
            self._presence.hear(holder, client.timestamp, client.active)
        return client is not None


def _log_passage(session: Session, what: str) -> None:
    """Viewers come and go by the thousand; to write each down would cost more than to judge them."""
    say = log.info if session.role is Role.PUBLISHER else log.debug
    say(f"{session.role.value} {what}", room=session.room_id, client=session.key.client, address=session.address)
