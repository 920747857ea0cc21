"""Lets publishers and players of this node in, looks after them, and puts them out."""

from __future__ import annotations

import asyncio
import re

import structlog

from control.access.admission import Admission
from control.access.verdicts import Credentials, Role
from control.clock import Clock
from control.live.presence import REMEMBERED, Ending, Presence, Session, SessionKey
from control.nginx_rtmp.control import ControlError, RtmpControl
from control.nginx_rtmp.form import Callback
from control.nginx_rtmp.hls_auth import HlsAuth
from control.nginx_rtmp.stat import Stat
from control.nginx_rtmp.takeover import LONGEST_LOOK, Takeover
from control.refusals import Denied, GateShut
from control.storage.tables import LAST_ROOM_ID

AT_ONCE = 16  # sessions that nginx is asked to drop at a time
DEAD = 10.0  # seconds without media after which a publisher that is gone had lost its link before

_ROOM_ID = re.compile(r"[1-9]\d{0,9}", re.ASCII)
log = structlog.get_logger()


def room_id(name: str) -> int:
    """The room a stream's name means. Raises Denied for any name we did not give out."""
    if not _ROOM_ID.fullmatch(name) or int(name) > LAST_ROOM_ID:
        raise Denied("not a room id")
    return int(name)


class Clients:
    """`silent` is after how many seconds without media a publisher gives way to the next."""

    def __init__(
        self,
        presence: Presence,
        admission: Admission,
        hls_auth: HlsAuth,
        stat: Stat,
        control: RtmpControl,
        clock: Clock,
        silent: float,
    ) -> None:
        self._presence = presence
        self._admission = admission
        self._hls_auth = hls_auth
        self._control = control
        self._clock = clock
        self._awaited: dict[SessionKey, tuple[Callback, float]] = {}
        self._looked_at = 0.0
        self.nudge = asyncio.Event()
        """Set when /stat should be read soon."""
        self._takeover = Takeover(presence, stat, clock, silent, self.put_out, self.nudge)

    def known_room(self, name: str) -> int | None:
        """The room of a stream's name, None for any other name: people paste their passwords there by mistake."""
        try:
            room = room_id(name)
        except Denied:
            return None
        return room if self._admission.rights(room) else None

    async def publish(self, key: SessionKey, callback: Callback) -> None:
        """Raises Denied."""
        room, shown = room_id(callback.name), self._shown(callback)
        self._admission.admit(Role.PUBLISHER, room, shown)
        self._check_new(key)
        await self._takeover.make_way(room, self._looked_at)
        self._check_new(key)  # it may have left while it waited, or lost its right
        self._admission.admit(Role.PUBLISHER, room, shown)
        self._enter(key, Role.PUBLISHER, room, shown, callback)
        self.nudge.set()

    def play(self, key: SessionKey, callback: Callback) -> None:
        """Raises Denied."""
        room, shown = room_id(callback.name), self._shown(callback)
        self._admission.admit(Role.PLAYER, room, shown)
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
        """Puts out at once whoever of a room may no longer be here. All are judged first: where nginx does not hear us,
        their next updates are refused."""
        self._hls_auth.reconsider(room)
        denied = [session for session in self._presence.in_room(room) if not self._may_stay(session)]
        for start in range(0, len(denied), AT_ONCE):
            try:
                await asyncio.gather(*map(self._drop, denied[start : start + AT_ONCE]))
            except ControlError as failure:
                log.warning("drop failed", room=room, failure=str(failure))
                return

    async def put_out(self, session: Session, reason: str, how: Ending = Ending.LEFT) -> bool:
        """Whether it is gone. Raises nothing: a session that cannot be dropped now is refused at its next update."""
        session.ending = session.ending or how
        _log_put_out(session, reason)
        try:
            return await self._drop(session)
        except ControlError as failure:
            log.warning("drop failed", client=session.key.client, failure=str(failure))
            return False

    def close(self) -> None:
        """Keeps no publisher waiting any more, for a control that ends."""
        self._takeover.close()

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
        self._hls_auth.expire()
        deadline = self._clock.ticks() - REMEMBERED
        self._awaited = {key: pair for key, pair in self._awaited.items() if pair[1] > deadline}

    async def _drop(self, session: Session) -> bool:
        """Whether it was in a stream. Raises ControlError."""
        dropped = await self._control.drop(session.key.client)
        if dropped:
            self._presence.end(session.key)
        return dropped

    def _may_stay(self, session: Session) -> bool:
        if session.credentials is None:
            return True  # as far as is known: its next update tells what let it in
        try:
            self._judge(session)
        except Denied as denied:
            _log_put_out(session, denied.reason)
            return False
        return True

    def _judge(self, session: Session) -> None:
        """Asks for the verdict again. Raises Denied, and notes why this session is to end."""
        assert session.credentials is not None
        try:
            self._admission.admit(session.role, session.room_id, session.credentials)
        except Denied as denied:
            session.ending = Ending.GATE if isinstance(denied, GateShut) else Ending.PASSWORD
            raise

    def _quiet_for(self, session: Session) -> float:
        """Seconds since a publisher's last media."""
        return self._clock.ticks() - session.media_at if session.media_at is not None else 0.0

    def _unknown(self, key: SessionKey, callback: Callback) -> None:
        """An update of a session we know nothing of: judged afresh, and taken in once /stat shows it."""
        role = Role.PUBLISHER if callback.publishes else Role.PLAYER
        self._admission.admit(role, room_id(callback.name), self._shown(callback))
        _, first = self._awaited.setdefault(key, (callback, self._clock.ticks()))
        # nginx goes on updating a second publisher that it turned away itself, and /stat never shows that one.
        # Where /stat could not be read since, there is no telling, and a stream that runs is not cut.
        if self._looked_at - first > LONGEST_LOOK:
            raise Denied("not in any stream")
        self.nudge.set()

    def _identify(self, session: Session, callback: Callback) -> None:
        session.credentials = self._shown(callback)
        session.encoder = callback.encoder
        session.counted = session.role is Role.PLAYER and self._admission.is_viewer(
            session.room_id, session.credentials
        )
        self._presence.changed.set()

    def _shown(self, callback: Callback) -> Credentials:
        return self._admission.credentials(callback.argument("pwd"), callback.argument("ticket"))

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
            counted=role is Role.PLAYER and self._admission.is_viewer(room, shown),
            encoder=callback.encoder,
        )
        self._presence.admit(session)
        _log_passage(session, "let in")


def _log_passage(session: Session, what: str) -> None:
    """Viewers come and go by the thousand; to write each down would cost more than to judge them."""
    say = log.info if session.role is Role.PUBLISHER else log.debug
    say(f"{session.role.value} {what}", room=session.room_id, client=session.key.client, address=session.address)


def _log_put_out(session: Session, reason: str) -> None:
    log.info(f"{session.role.value} put out", room=session.room_id, client=session.key.client, reason=reason)
