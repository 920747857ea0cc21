"""nginx's clients: lets publishers and players of this node in, judges them again, and has them dropped."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import structlog

from control.access.admission import Admission, Grant
from control.access.rights import parse_room_id
from control.access.verdicts import Credentials, Role
from control.clock import Clock
from control.live.leases import Leases
from control.live.presence import REMEMBERED, Presence, Session, SessionKey
from control.live.states import Ending, State
from control.nginx_rtmp.drops import Drops, log_dropped
from control.nginx_rtmp.excess import ExcessGuard
from control.nginx_rtmp.form import Callback
from control.nginx_rtmp.pipelined import PipelinedStreams
from control.nginx_rtmp.relays import Relays, RtmpNginx
from control.nginx_rtmp.takeover import LONGEST_LOOK, Takeover
from control.nginx_rtmp.unseen import UnseenUpdates
from control.ops import logs
from control.refusals import Denied, GateShut
from control.storage.changes import Change, Changed

RECONSIDERED = (Changed.ROOM, Changed.GATE, Changed.BANS, Changed.TICKETS, Changed.ACCOUNT)
AT_A_TIME = 200  # sessions that are judged before others have their turn
DEAD = 10.0  # seconds without media after which a publisher that is gone had lost its link before

log = structlog.get_logger()


@dataclass(kw_only=True)
class Clients:
    presence: Presence
    admission: Admission
    takeover: Takeover
    leases: Leases
    drops: Drops
    nginxes: Mapping[str, RtmpNginx]
    relays: Relays
    pipelined: PipelinedStreams
    unseen: UnseenUpdates
    excess: ExcessGuard
    clock: Clock
    _asking: Counter[SessionKey] = field(default_factory=Counter)
    """How many streams of a connection are being judged."""
    _expected: set[SessionKey] = field(default_factory=set)
    """Connections with one that is about to be."""
    _turned_away: dict[SessionKey, Session] = field(default_factory=dict)
    """What those had that were denied another stream: what they asked for besides, at once, is still to come."""

    def known_room(self, name: str) -> int | None:
        """The room of a stream's name, None for any other name: people paste their passwords there by mistake."""
        room_id = parse_room_id(name)
        return room_id if self.admission.is_known(room_id) else None

    async def let_in(self, key: SessionKey, callback: Callback) -> None:
        """A publisher or a player. Raises Denied."""
        self._expected.discard(key)
        self._asking[key] += 1
        try:
            await (self.publish if callback.publishes else self.play)(key, callback)
        finally:
            self._asking[key] -= 1
            if not self._asking[key]:
                del self._asking[key]

    async def publish(self, key: SessionKey, callback: Callback) -> None:
        """Raises Denied."""
        shown = self._shown(callback)
        room_id = parse_room_id(callback.name)
        grant = await self.admission.admit_newcomer(Role.PUBLISHER, room_id, shown, callback.address)
        self._refuse_second(key)
        self.pipelined.refuse_barred(grant.room_id)
        if any(grant.quota) or self.excess.capacity.node.rooms:
            await self.excess.admit(grant.room_id)
        waited = await self.takeover.make_way(grant.room_id)
        async with self.leases.claiming(grant.room_id) as waited_for_others:
            waited |= waited_for_others
            if self.relays.several:
                waited |= await self.relays.prepare_home(grant.room_id, key.place)
            if waited:
                # It may have left while it waited, or lost its right.
                grant = await self.admission.admit(Role.PUBLISHER, grant.room_id, shown)
                self._refuse_second(key)
                if self.presence.publisher(grant.room_id) is not None:
                    raise Denied("another publisher was quicker")
            self._enter(key, Role.PUBLISHER, grant, shown, callback)
        self.nginxes[key.node].looks.soon.set()

    async def play(self, key: SessionKey, callback: Callback) -> None:
        """Raises Denied."""
        shown, room_id = self._shown(callback), parse_room_id(callback.name)
        admission, known = self.admission, self._shows_the_same(key, room_id, shown)
        admit = admission.admit if known else admission.admit_newcomer
        self._play(key, await admit(Role.PLAYER, room_id, shown, callback.address), shown, callback)

    def play_at_once(self, key: SessionKey, callback: Callback) -> bool:
        """Likewise. False, and nothing done, where something has to be waited for."""
        shown, room_id = self._shown(callback), parse_room_id(callback.name)
        admission, known = self.admission, self._shows_the_same(key, room_id, shown)
        admit = admission.admit_at_once if known else admission.admit_newcomer_at_once
        grant = admit(Role.PLAYER, room_id, shown, callback.address)
        if grant is not None:
            self._play(key, grant, shown, callback)
        return grant is not None

    def _play(self, key: SessionKey, grant: Grant, shown: Credentials, callback: Callback) -> None:
        if self._plays_again(key, grant.room_id):
            self.presence.identify(key, shown, grant.counted, callback.encoder)
        else:
            self._refuse_second(key)
            if grant.counted and (grant.quota.viewers or self.excess.capacity.node.viewers):
                self.excess.capacity.take_viewer(grant.room_id, grant.quota.viewers)
            self._enter(key, Role.PLAYER, grant, shown, callback)

    def update_at_once(self, key: SessionKey, callback: Callback) -> bool:
        """Judges again. False, and nothing done, where something has to be waited for. Raises Denied."""
        session = self.presence.get(key)
        if session is None or session.credentials is None:
            return False
        if session.state is State.ENDING:
            raise Denied("put out before")  # and nginx could not drop it
        try:
            judged = self.admission.admit_at_once(session.role, session.room_id, session.credentials, session.address)
        except Denied as denied:
            self._condemn(session, denied)
            raise
        if judged is not None:
            self.presence.hear(key, callback.timestamp)
        return judged is not None

    async def update(self, key: SessionKey, callback: Callback) -> None:
        """Likewise, and waits."""
        session = self.presence.get(key)
        if session is not None and session.role.is_relay:
            self.presence.end(key)  # it was found at nginx, and only looked like one
            session = None
        if session is None:
            return await self._judge_unseen(key, callback)
        if session.credentials is None:
            await self._identify(session, callback)
            if session.credentials is None:
                return  # it has gone meanwhile
        if session.state is State.ENDING:
            raise Denied("put out before")
        await self._judge(session)
        self.presence.hear(key, callback.timestamp)

    def end(self, key: SessionKey) -> None:
        self.unseen.take(key)
        session = self.presence.get(key)
        sent_at = session.media_at if session else None
        silent = sent_at is not None and self.clock.ticks() - sent_at >= DEAD
        self.presence.end(key, Ending.SILENT if silent else Ending.LEFT)
        if session is not None:
            _log_passage(session, "left")

    def expect(self, key: SessionKey) -> None:
        """`let_in` is to be called for it."""
        self._expected.add(key)

    def turned_away(self, key: SessionKey) -> None:
        """A connection that asked for one stream more and was denied it: nginx closes it then, and tells of no end of
        the stream that it had."""
        session = self.presence.get(key)
        if session is not None:
            self._turned_away[key] = session
            self.end(key)
        elif key in self._expected or self._asking[key]:
            self.presence.end(key)  # for what it asked for besides, and is still being judged

    async def reconsider(self, change: Change) -> None:
        """Judges every client of a room, then drops those that may not stay. The rest is denied at its next
        update."""
        if not change.room_id or change.what not in RECONSIDERED:
            return
        # Given-back tickets are their user's alone; a ban is of addresses too.
        of_all = change.what is not Changed.TICKETS
        concerned = [each for each in self.presence.in_room(change.room_id) if of_all or each.user_id == change.user_id]
        denied = []
        for number, session in enumerate(concerned):
            if number % AT_A_TIME == AT_A_TIME - 1:
                await asyncio.sleep(0)
            if not await self._may_stay(session):
                denied.append(session)
        await self.drops.drop_condemned(denied)
        for node in {each.key.node for each in denied if self.presence.get(each.key)}:
            self.nginxes[node].looks.soon.set()  # which drops again what was just joining

    async def kick(self, session: Session) -> None:
        await self.drops.drop(session, "thrown out")

    def close(self) -> None:
        """Keeps no publisher waiting any more, for a control that ends."""
        self.takeover.close()

    async def adopt(self, session: Session) -> None:
        """Takes in a session that nginx has and we did not know, with what its updates told of it."""
        callback = self.unseen.take(session.key)
        self.presence.admit(session)
        if callback is not None:
            await self._identify(session, callback)

    def forget(self) -> None:
        """Drops what is remembered of those that were never seen, or went."""
        deadline = self.clock.ticks() - REMEMBERED
        self.unseen.forget()
        self._turned_away = {key: had for key, had in self._turned_away.items() if (had.over_at or deadline) > deadline}
        self._expected.clear()
        self.pipelined.forget()

    async def _may_stay(self, session: Session) -> bool:
        if session.credentials is None:
            return True  # as far as is known: its next update tells what let it in
        try:
            await self._judge(session)
        except Denied as denied:
            log_dropped(session, denied.reason)
            return False
        return True

    async def _judge(self, session: Session) -> None:
        """Raises Denied, and condemns the session."""
        assert session.credentials is not None
        try:
            await self.admission.admit(session.role, session.room_id, session.credentials, session.address)
        except Denied as denied:
            self._condemn(session, denied)
            raise

    def _condemn(self, session: Session, denied: Denied) -> None:
        self.presence.condemn(session.key, Ending.GATE if isinstance(denied, GateShut) else Ending.PASSWORD)

    async def _judge_unseen(self, key: SessionKey, callback: Callback) -> None:
        """An update of a session we know nothing of: judged afresh, and taken in once /stat shows it."""
        shown = self._shown(callback)
        await self.admission.admit(callback.role, parse_room_id(callback.name), shown, callback.address)
        first = self.unseen.note(key, callback)
        # nginx goes on updating a second publisher that it turned away itself, and /stat never shows that one.
        # Where /stat could not be read since, there is no telling, and a stream that runs is not cut.
        looks = self.nginxes[key.node].looks
        if looks.last_at - first > LONGEST_LOOK:
            raise Denied("not in any stream")
        looks.soon.set()

    async def _identify(self, session: Session, callback: Callback) -> None:
        shown = self._shown(callback)
        counted = session.role is Role.PLAYER and await self.admission.is_viewer(session.room_id, shown)
        if self.presence.get(session.key) is session:  # it may have gone meanwhile
            self.presence.identify(session.key, shown, counted, callback.encoder)

    def _shown(self, callback: Callback) -> Credentials:
        return self.admission.credentials(callback.password, callback.ticket)

    def _plays_again(self, key: SessionKey, room_id: int) -> bool:
        """Whether a player asks once more for the room that it plays: it seeks, or loads again."""
        session = self.presence.get(key)
        if session is None or session.role is not Role.PLAYER:
            return False
        return session.room_id == room_id and session.state is State.ADMITTED

    def _shows_the_same(self, key: SessionKey, room_id: int, shown: Credentials) -> bool:
        """Whether that is what let this session in: no guess, whatever others at its address do."""
        session = self.presence.get(key)
        return session is not None and (session.room_id, session.credentials) == (room_id, shown)

    def _refuse_second(self, key: SessionKey) -> None:
        if self.presence.ended_early(key):
            raise Denied("over before it began")
        session = self.presence.get(key) or self._turned_away.get(key)
        if session is not None:
            if session.role is Role.PUBLISHER:
                self.pipelined.note(session)
            raise Denied("a second stream on one connection")

    def _enter(self, key: SessionKey, role: Role, grant: Grant, shown: Credentials, callback: Callback) -> None:
        if self.unseen.updates:
            self.unseen.take(key)
        since = self.clock.ticks()
        # Each text once: of thousands of players most are the same.
        address, encoder = sys.intern(callback.address), sys.intern(callback.encoder)
        home = self.relays.home(grant.room_id, key.place) if self.relays.several else None
        session = Session(key, role, grant.room_id, address, since, shown, grant.counted, encoder, home)
        self.presence.admit(session)
        _log_passage(session, "let in")


def _log_passage(session: Session, what: str) -> None:
    """Viewers come and go by the thousand; to write each down would cost more than to judge them."""
    if session.role is Role.PLAYER and not logs.tells_all():
        return
    say = log.info if session.role is Role.PUBLISHER else log.debug
    say(f"{session.role.value} {what}", room=session.room_id, client=session.key.client, address=session.address)
