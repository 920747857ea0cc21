"""What an anchor sees of their own room while they stream."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from control.api.envelope import site
from control.api.play_urls import place
from control.api.services import Services
from control.live.broadcasts import Broadcasts
from control.live.ingest_alerts import SETTLED, key_frame_seconds
from control.live.presence import Session
from control.live.stream_info import StreamInfo
from control.nginx_rtmp.excess import ExcessGuard
from control.nginx_rtmp.refused_pushes import RefusedPushes
from control.refusals import SessionExpired
from control.web.page_api import caller_of
from control.web.qr import qr_code

_UNKNOWN = StreamInfo(0, 0, 0, 0.0, "", "")


class Studio:
    """`segments` is the folder that nginx writes HLS into."""

    def __init__(
        self,
        *,
        services: Services,
        broadcasts: Broadcasts,
        refused_pushes: RefusedPushes,
        excess: ExcessGuard,
        segments: Path,
    ) -> None:
        self._services = services
        self._broadcasts = broadcasts
        self._refused_pushes = refused_pushes
        self._excess = excess
        self._segments = segments

    async def state(self, room_id: int, players: int) -> dict[str, Any]:
        """`gateShut`: how many seconds the gate stays shut, 0 for open; `publisher`: null while off air; `settled`: it
        has sent for so long that there should be sound and picture; `limits`: those that its stream is over."""
        publisher = self._services.presence.publisher(room_id)
        live = publisher is not None and publisher.live
        room = await self._services.admission.room(room_id)
        shut_until = room.gate_shut_until if room else 0.0
        return {
            "live": live,
            "settled": live and self._services.clock.ticks() - publisher.since >= SETTLED if publisher else False,
            "players": players,
            "gateShut": max(0, round(shut_until - self._services.clock.now())),
            "publisher": await self._publisher(publisher) if publisher and live else None,
            "limits": [asdict(each) for each in self._excess.of(room_id)],
            "refused": [asdict(push) for push in self._refused_pushes.of(room_id)],
        }

    async def _publisher(self, session: Session) -> dict[str, Any]:
        folder = self._segments / str(session.room_id)
        broadcast = self._broadcasts.of_room(session.room_id)
        return {
            "address": session.address,
            "encoder": broadcast.encoder if broadcast else session.encoder,
            "key_frame_seconds": await asyncio.to_thread(key_frame_seconds, folder),
        } | asdict(session.stream_info or _UNKNOWN)

    async def qr(self, request: Request) -> Response:
        """`GET /studio/qr.svg`: the push URL for phone encoders. 403 without a session, 404 without a room."""
        try:
            caller = await caller_of(request, self._services)
        except SessionExpired:
            return Response(status_code=403)
        room = await self._services.admission.room(caller.user.room_id)
        if room is None:
            return Response(status_code=404)
        settings = self._services.settings
        rtmp = place(site(request), settings.rtmp_port, settings.rtmp_url).rtmp
        return qr_code(f"{rtmp}/{room.room_id}?pwd={room.anchor_password}")
