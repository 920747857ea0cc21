"""Orders about rooms."""

from __future__ import annotations

from collections.abc import Mapping
from heapq import nlargest
from typing import Any

import sqlalchemy as sa

from control.access.rights import Rights, parse_room_id
from control.api.services import Services
from control.clock import Epoch
from control.live.presence import Session
from control.lobby.live_rooms import LiveRooms
from control.operators.orders import Answer, Impossible, Order, number, text
from control.storage.changes import Change, Changed, Changes
from control.storage.database import Row, Store, numbered
from control.storage.tables import rooms, users

MOST = 100  # that are told of
LONGEST = 365 * 86400  # seconds that a room is closed for

Given = Mapping[str, Any]


class RoomOrders:
    def __init__(self, services: Services, store: Store, changes: Changes) -> None:
        self._services = services
        self._store = store
        self._changes = changes

    @property
    def table(self) -> dict[str, Order]:
        return {
            "find-rooms": self.find,
            "show-room": self.show,
            "live-rooms": self.live,
            "close-room": self.close,
            "open-room": self.open,
            "end-broadcast": self.end,
        }

    async def find(self, given: Given) -> Answer:
        """By number, or by a part of the name; "" for the newest."""
        wanted = text(given, "text")
        query = sa.select(rooms.c.id, rooms.c.name, rooms.c.owner_id, users.c.account).join_from(rooms, users)
        if wanted:
            named = rooms.c.name.icontains(wanted, autoescape=True)
            query = query.where(rooms.c.id == room_id if (room_id := parse_room_id(wanted)) else named)
        rows = await self._store.fetch_all(query.order_by(rooms.c.id.desc()).limit(MOST))
        return {"rooms": [_found(row) | self._now(row["id"]) for row in rows]}

    async def show(self, given: Given) -> Answer:
        rights = await self._named(given)
        room_id, services = rights.room_id, self._services
        columns = (rooms.c.name, rooms.c.topic, rooms.c.follow_count, users.c.account)
        row = await self._store.fetch_one(sa.select(*columns).join_from(rooms, users).where(rooms.c.id == room_id))
        if row is None:
            raise Impossible(f"there is no room {room_id}")
        now = services.clock.now()
        told: Answer = {
            "room": room_id,
            "name": row["name"],
            "topic": row["topic"],
            "owner": rights.owner_id,
            "account": row["account"],
            "followers": row["follow_count"],
            "open": rights.is_open,
            "public": rights.is_public,
            "closed_for": max(0.0, round(rights.gate_shut_until - now, 1)),
        }
        over_rtmp, over_hls = 0, 0
        for viewer in services.audience.viewers(room_id, 1_000_000)[1]:
            over_rtmp, over_hls = over_rtmp + (viewer.protocol == "rtmp"), over_hls + (viewer.protocol == "hls")
        return told | self._now(room_id) | {"here_over_rtmp": over_rtmp, "here_over_hls": over_hls}

    async def live(self, given: Given) -> Answer:
        """The rooms with the most viewers, at most `most`, and sums over all."""
        lobby = self._live_rooms
        live = [room_id for room_id in lobby.rooms() if lobby.is_live(room_id)]
        shown = nlargest(min(number(given, "most"), MOST), live, key=lambda room_id: (lobby.players(room_id), room_id))
        named = await self._store.fetch_all(
            sa.select(rooms.c.id, rooms.c.name).where(rooms.c.id.in_(sa.select(numbered(shown).c.value)))
        )
        names = {row["id"]: row["name"] for row in named}
        return {
            "node": self._services.settings.node,
            "live": len(live),
            "viewers": sum(map(lobby.players, lobby.rooms())),
            "rooms": [{"room": each, "name": names.get(each, "")} | self._now(each) for each in shown],
        }

    async def close(self, given: Given) -> Answer:
        """Shuts its gate: its publisher goes, and none is let in for so long. Its owner can open it again."""
        seconds = number(given, "seconds")
        if not 0 < seconds <= LONGEST:
            raise Impossible(f"seconds: 1 to {LONGEST}")
        rights = await self._named(given)
        await self._shut(rights, Epoch(self._services.clock.now() + seconds))
        return {"room": rights.room_id, "closed_for": seconds}

    async def open(self, given: Given) -> Answer:
        rights = await self._named(given)
        await self._shut(rights, Epoch(0.0))
        return {"room": rights.room_id, "closed_for": 0}

    async def end(self, given: Given) -> Answer:
        """Drops its publisher, who may come back."""
        rights = await self._named(given)
        publisher = self._services.presence.publisher(rights.room_id)
        if publisher is None:
            elsewhere = sorted(self._live_rooms.others_with(rights.room_id))
            hint = f" of this node; {', '.join(elsewhere)} has it" if elsewhere else ""
            raise Impossible(f"room {rights.room_id} has no publisher{hint}")
        await self._services.clients.kick(publisher)
        return {"room": rights.room_id, "ended": True}

    @property
    def _live_rooms(self) -> LiveRooms:
        return self._services.moderation.live_rooms

    async def _named(self, given: Given) -> Rights:
        room_id = number(given, "room")
        rights = await self._services.admission.room(room_id)
        if rights is None:
            raise Impossible(f"there is no room {room_id}")
        return rights

    async def _shut(self, room: Rights, until: Epoch) -> None:
        shut = rooms.update().where(rooms.c.id == room.room_id).values(gate_shut_until=until)
        await self._changes.write(Change(Changed.GATE, room.room_id, room.owner_id), shut)

    def _now(self, room_id: int) -> Answer:
        place = self._live_rooms.place(room_id)
        return {
            "live_since": place[0] if place else None,
            "viewers": self._live_rooms.players(room_id),
            "elsewhere": sorted(self._live_rooms.others_with(room_id)),
            "publisher": self._publisher(self._services.presence.publisher(room_id)),
        }

    def _publisher(self, session: Session | None) -> Answer | None:
        if session is None:
            return None
        told: Answer = {
            "node": session.key.node,
            "address": session.address,
            "encoder": session.encoder,
            "seconds": round(self._services.clock.ticks() - session.since, 1),
        }
        info = session.stream_info
        return told | {
            "bits_per_second": info.bits_per_second if info else 0,
            "width": info.width if info else 0,
            "height": info.height if info else 0,
            "frames_per_second": round(info.frames_per_second, 2) if info else 0.0,
            "video": info.video_codec if info else "",
            "sound": info.audio_codec if info else "",
        }


def _found(row: Row) -> Answer:
    return {"room": row["id"], "name": row["name"], "owner": row["owner_id"], "account": row["account"]}
