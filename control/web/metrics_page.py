"""What is counted, for Prometheus, and what is read off only when it asks: who is here, and the largest rooms."""

from __future__ import annotations

import asyncio
from collections import Counter as Tally
from contextlib import suppress
from heapq import nlargest

import sqlalchemy as sa
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import Response

from control.access.verdicts import Role
from control.live.heartbeats import Heartbeats
from control.live.presence import Presence
from control.lobby.live_rooms import LiveRooms
from control.ops import metrics
from control.storage.database import Store
from control.storage.tables import room_events, webhooks

OUTBOX = (
    sa.select(sa.func.count())
    .select_from(webhooks.join(room_events, webhooks.c.room_id == room_events.c.room_id))
    .where(webhooks.c.due_at.is_not(None), room_events.c.number > webhooks.c.position)
)
AT_A_TIME = 200  # sessions that are counted before others have their turn


class MetricsPage:
    """`node` is this one; `most` rooms have figures of their own, those with the most viewers."""

    def __init__(
        self,
        *,
        store: Store,
        node: str,
        most: int,
        presence: Presence,
        heartbeats: Heartbeats,
        live_rooms: LiveRooms,
    ) -> None:
        self._store = store
        self._node = node
        self._most = most
        self._presence = presence
        self._heartbeats = heartbeats
        self._live_rooms = live_rooms
        self._turn = asyncio.Lock()

    async def answer(self, request: Request) -> Response:
        """`GET /metrics`"""
        async with self._turn:
            await self._read_off()
            with suppress(*self._store.failures):  # without the database it stays as it was
                [waiting] = await self._store.fetch_one(OUTBOX) or [0]
                metrics.outbox.set(waiting)
            page = await asyncio.to_thread(generate_latest)  # some milliseconds
        return Response(page, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _read_off(self) -> None:
        counted = Tally[tuple[str, str]]()
        for number, session in enumerate(self._presence.all()):
            if number % AT_A_TIME == AT_A_TIME - 1:
                await asyncio.sleep(0)
            counted[session.key.node, session.role.value] += 1
        metrics.sessions.clear()
        for (node, role), number in counted.items():
            metrics.sessions.labels(node, role, "rtmp").set(number)
        metrics.sessions.labels(self._node, Role.PLAYER.value, "hls").set(self._heartbeats.number)
        self._read_off_rooms()

    def _read_off_rooms(self) -> None:
        figures = (metrics.room_viewers, metrics.room_bits_per_second, metrics.room_frames_per_second)
        for figure in figures:
            figure.clear()
        live = [each.room_id for each in self._presence.publishers() if each.live] if self._most else []
        for room_id in nlargest(self._most, live, key=lambda each: (self._live_rooms.players(each), each)):
            publisher = self._presence.publisher(room_id)
            info = publisher.stream_info if publisher else None
            values = (
                self._live_rooms.players(room_id),
                info.bits_per_second if info else 0,
                info.frames_per_second if info else 0.0,
            )
            for figure, value in zip(figures, values, strict=True):
                figure.labels(str(room_id)).set(value)
