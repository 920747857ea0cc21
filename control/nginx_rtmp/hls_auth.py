"""Judges HLS viewers: the web nginx asks about each ticket and room, keeps a yes for a few seconds, and asks again."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from control.access.admission import Admission
from control.access.rights import parse_room_id
from control.access.verdicts import Role
from control.clock import Clock, Ticks
from control.live.broadcasts import Broadcasts
from control.live.heartbeats import Heartbeats
from control.live.presence import Presence, Session
from control.nginx_rtmp.clients import AT_A_TIME, RECONSIDERED
from control.nginx_rtmp.kept_verdicts import KeptVerdicts
from control.ops import metrics
from control.refusals import Denied
from control.storage.changes import Change, Changed

# auth_request passes on no other refusals than 401 and 403, so what a 403 means stands in a header.
WELCOME, REFUSED, OFF_AIR = "welcome", "refused", "off-air"


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


@dataclass(kw_only=True)
class HlsAuth:
    presence: Presence
    heartbeats: Heartbeats
    broadcasts: Broadcasts
    admission: Admission
    kept: KeptVerdicts
    clock: Clock

    async def answer(self, request: Request) -> Response:
        """`GET /hls?ticket=&room=`; both were matched against their form by nginx."""
        listing: Listing | None = None
        try:
            asked, address = request.query_params, request.headers.get("x-address", "")
            listing = await self.admit(asked["room"], asked["ticket"], address)
            verdict = WELCOME if listing else OFF_AIR
        except Denied:
            verdict = REFUSED
        metrics.hls_questions.labels(verdict).inc()
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

    async def admit(self, name: str, ticket: str, address: str = "") -> Listing | None:
        """Notes a viewer's heartbeat, and has nginx not ask for a time. Returns None where there is nothing to see now.
        Raises Denied."""
        shown = self.admission.credentials("", ticket)
        grant = await self.admission.admit(Role.PLAYER, parse_room_id(name), shown, address)
        publisher = self.presence.publisher(grant.room_id)
        if publisher is None or not publisher.live:
            return None
        assert shown.ticket is not None  # an empty password is no room's
        if grant.counted:
            self.heartbeats.beat(grant.room_id, shown.ticket.user_id, shown, address)
        listing = self._listing(publisher)
        self.kept.keep(grant.room_id, shown.ticket.user_id, ticket, listing.text())
        return listing

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
