"""Judges HLS viewers: the web nginx asks about each ticket and room, keeps a yes for a few seconds, and asks again."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from control.access.admission import Admission
from control.access.rights import parse_room_id
from control.access.tickets import Keys
from control.access.verdicts import Role
from control.clock import Clock, Ticks
from control.live.broadcasts import Broadcasts
from control.live.capacity import Capacity
from control.live.heartbeats import Heartbeats
from control.live.leases import Leases
from control.live.presence import Home, Presence, Session
from control.lobby.live_rooms import LiveRooms
from control.nginx_rtmp.clients import AT_A_TIME, RECONSIDERED
from control.nginx_rtmp.kept_verdicts import KeptVerdicts
from control.ops import metrics
from control.refusals import Denied
from control.storage.changes import Change, Changed

# auth_request passes on no other refusals than 401 and 403, so what a 403 means stands in a header.
WELCOME, REFUSED, OFF_AIR = "welcome", "refused", "off-air"

_QUESTIONS = {verdict: metrics.hls_questions.labels(verdict) for verdict in (WELCOME, REFUSED, OFF_AIR)}


@dataclass(frozen=True, slots=True)
class Listing:
    """What nginx/playlist.js has to know of a room. Segments are named by the time of day, in milliseconds."""

    since: int
    """When the broadcast began."""
    sound_alone_at: int
    """When it was last known to send no picture; 0: never."""

    def headers(self) -> dict[str, str]:
        shown = {"X-Since": str(self.since)}
        return shown | ({"X-Sound-Alone-At": str(self.sound_alone_at)} if self.sound_alone_at else {})

    def text(self) -> str:
        return f"{self.since} {self.sound_alone_at}"


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What the web nginx has to know of a room that is live at another node."""

    address: str
    """Of that node's web nginx, with its port."""
    mark: str
    """By which it knows one of its peers."""

    def headers(self) -> dict[str, str]:
        return {"X-Origin": self.address, "X-Mark": self.mark}


@dataclass(kw_only=True)
class HlsAuth:
    presence: Presence
    leases: Leases
    live_rooms: LiveRooms
    keys: Keys
    heartbeats: Heartbeats
    broadcasts: Broadcasts
    admission: Admission
    capacity: Capacity
    kept: KeptVerdicts
    clock: Clock

    async def answer(self, request: Request) -> Response:
        """`GET /hls?ticket=&room=`; both were matched against their form by nginx."""
        listing: Listing | Elsewhere | None = None
        try:
            asked, address = request.query_params, request.headers.get("x-address", "")
            listing = await self.admit(asked["room"], asked["ticket"], address)
            verdict = WELCOME if listing else OFF_AIR
        except Denied:
            verdict = REFUSED
        _QUESTIONS[verdict].inc()
        headers = {"X-Verdict": verdict} | (listing.headers() if listing else {})
        if verdict == REFUSED:
            headers["Cache-Control"] = "no-store"  # whoever makes tickets up must not fill nginx's cache
        return Response(status_code=204 if verdict == WELCOME else 403, headers=headers)

    async def may_look(self, request: Request) -> Response:
        """`GET /snapshot?ticket=&room=`: whether the ticket would let watch, were there anything to watch."""
        shown = self.admission.credentials("", request.query_params["ticket"])
        try:
            await self.admission.admit(Role.PLAYER, parse_room_id(request.query_params["room"]), shown)
        except Denied:
            return Response(status_code=403)
        return Response(status_code=204)

    async def for_peer(self, request: Request) -> Response:
        """`GET /node?room=`: whether another node may have a room's segments, for viewers whom it has let in. It shows
        its mark."""
        room_id = parse_room_id(request.query_params["room"])
        own, publisher = self.leases.own(room_id), self.presence.publisher(room_id)
        marked = own is not None and self.keys.is_marked(_text(room_id, own), request.headers.get("x-mark", ""))
        if not marked or publisher is None or not publisher.live:
            return Response(status_code=403, headers={"Cache-Control": "no-store"})
        return Response(status_code=204, headers=self._listing(publisher).headers())

    async def admit(self, name: str, ticket: str, address: str = "") -> Listing | Elsewhere | None:
        """Notes a viewer's heartbeat, and has nginx not ask for a time. Returns None where there is nothing to see now.
        Raises Denied."""
        shown = self.admission.credentials("", ticket)
        grant = await self.admission.admit(Role.PLAYER, parse_room_id(name), shown, address)
        publisher = self.presence.publisher(grant.room_id)
        is_here = publisher is not None and publisher.live
        elsewhere = None if is_here else self._elsewhere(grant.room_id)
        if not is_here and elsewhere is None:
            return None
        assert shown.ticket is not None  # an empty password is no room's
        if grant.counted:
            limited = grant.quota.viewers or self.capacity.node.viewers
            if limited and not self.heartbeats.is_there(grant.room_id, shown.ticket.user_id):
                self.capacity.take_viewer(grant.room_id, grant.quota.viewers)
            self.heartbeats.beat(grant.room_id, shown.ticket.user_id, shown, address)
        if elsewhere is not None:
            return elsewhere
        assert publisher is not None
        listing = self._listing(publisher)
        self.kept.keep(grant.room_id, shown.ticket.user_id, ticket, listing.text())
        return listing

    def _elsewhere(self, room_id: int) -> Elsewhere | None:
        origin = self.leases.origin(room_id)
        peer = self.leases.peer(origin) if origin else None
        if origin is None or peer is None or not self.live_rooms.is_live(room_id):
            return None
        return Elsewhere(peer.site, self.keys.mark(_text(room_id, origin)))

    async def reconsider(self, change: Change) -> None:
        """Stops counting viewers that may no longer watch, and letting them."""
        if change.what not in RECONSIDERED:
            return
        watching, out = self.heartbeats.in_room(change.room_id), set()
        if change.what is Changed.TICKETS:
            watching = {user_id: beat for user_id, beat in watching.items() if user_id == change.user_id}
        for number, (user_id, beat) in enumerate(watching.items()):
            if number % AT_A_TIME == AT_A_TIME - 1:
                await asyncio.sleep(0)
            try:
                await self.admission.admit(Role.PLAYER, change.room_id, beat.shown, beat.address)
            except Denied:
                self.heartbeats.end(change.room_id, user_id)
                out.add(user_id)
        self.kept.withdraw(change.room_id, out)

    def _listing(self, publisher: Session) -> Listing:
        sound_alone_at = publisher.sound_alone_at
        return Listing(
            self._time_of_day(self.broadcasts.media_since(publisher)),
            0 if sound_alone_at is None else self._time_of_day(sound_alone_at),
        )

    def _time_of_day(self, ticks: Ticks) -> int:
        """Counted back from now: the clock may have been set meanwhile."""
        return int((self.clock.now() - self.clock.ticks() + ticks) * 1000)


def _text(room_id: int, origin: Home) -> str:
    """What a peer's mark is made of."""
    return f"hls/{room_id}/{origin.node}/{origin.start}"
