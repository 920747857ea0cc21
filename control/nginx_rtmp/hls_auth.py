"""Lets HLS viewers in: the web nginx asks about each ticket and room, keeps a yes for a few seconds, and asks again."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from control.access.admission import Admission
from control.access.verdicts import Role
from control.live.heartbeats import Heartbeats
from control.live.presence import Presence
from control.ops import metrics
from control.refusals import Denied

# auth_request passes on no other refusals than 401 and 403, so what a 403 means stands in a header.
WELCOME, REFUSED, OFF_AIR = "welcome", "refused", "off-air"


class HlsAuth:
    def __init__(self, presence: Presence, heartbeats: Heartbeats, admission: Admission) -> None:
        self._presence = presence
        self._heartbeats = heartbeats
        self._admission = admission

    async def answer(self, request: Request) -> Response:
        """`GET /hls?ticket=&room=`; both were matched against their form by nginx."""
        room_id, ticket = int(request.query_params["room"]), request.query_params["ticket"]
        try:
            verdict = WELCOME if self.look_in(room_id, ticket) else OFF_AIR
        except Denied:
            verdict = REFUSED
        metrics.hls_questions.labels(verdict).inc()
        return Response(status_code=204 if verdict == WELCOME else 403, headers={"X-Verdict": verdict})

    def look_in(self, room_id: int, ticket: str) -> bool:
        """Notes a viewer. False where there is nothing to see now. Raises Denied."""
        shown = self._admission.credentials("", ticket)
        self._admission.admit(Role.PLAYER, room_id, shown)
        publisher = self._presence.publisher(room_id)
        if publisher is None or not publisher.live:
            return False
        assert shown.ticket is not None  # without one, nobody is let in with an empty password
        if self._admission.is_viewer(room_id, shown):
            self._heartbeats.beat(room_id, shown.ticket.user_id, shown)
        return True

    def expire(self) -> None:
        """Counts no more whoever has stopped watching."""
        self._heartbeats.expire()

    def reconsider(self, room_id: int) -> None:
        """Counts no more whoever may no longer watch; nginx lets them go on for what is left of its few seconds."""
        for user_id, beat in self._heartbeats.in_room(room_id).items():
            try:
                self._admission.admit(Role.PLAYER, room_id, beat.shown)
            except Denied:
                self._heartbeats.end(room_id, user_id)
