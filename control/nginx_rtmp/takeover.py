"""What becomes of a room's publisher when another one comes: one that has fallen silent gives way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from control.clock import Clock
from control.live.presence import Ending, Presence, Session
from control.nginx_rtmp.plan import JOINING
from control.nginx_rtmp.stat import Stat, StatError
from control.refusals import Denied

OUT_OF_HEARING = 6.0  # seconds since /stat was last read, which is done every two
LOOK_AGAIN = 0.3  # seconds between two looks at a publisher that may have fallen silent
LONGEST_LOOK = 6.0  # seconds; nginx waits longer for a verdict, netcall_timeout

PutOut = Callable[[Session, str, Ending], Awaitable[bool]]

log = structlog.get_logger()


class Takeover:
    """`silent` is after how many seconds without media a publisher gives way to the next."""

    def __init__(
        self, presence: Presence, stat: Stat, clock: Clock, silent: float, put_out: PutOut, nudge: asyncio.Event
    ) -> None:
        self._presence = presence
        self._stat = stat
        self._clock = clock
        self._silent = silent
        self._put_out = put_out
        self._nudge = nudge
        self._closed = False

    def close(self) -> None:
        """Lets nobody wait any more."""
        self._closed = True

    async def make_way(self, room: int, looked_at: float) -> None:
        """Returns once the room has no publisher: one that has fallen silent is dropped. Raises Denied if it has one.
        `looked_at` is when /stat was last read, in ticks."""
        holder = self._presence.publisher(room)
        if holder is not None:
            await self._outwait(room, holder)
        elif self._clock.ticks() - looked_at > OUT_OF_HEARING:
            await self._refuse_beside_unknown(room)

    async def _outwait(self, room: int, holder: Session) -> None:
        """A newcomer waits until it is known whether the one before still sends: an encoder whose link broke is back
        within a second or two, often before anything here can tell that the old connection is dead."""
        deadline = self._clock.ticks() + LONGEST_LOOK
        looked: int | None = None
        while self._presence.get(holder.key) is holder:
            joining = self._clock.ticks() - holder.since < JOINING
            if not await self._is_there(holder) and not joining:
                self._presence.end(holder.key)
            elif looked not in (None, holder.timestamp) or self._closed or self._clock.ticks() > deadline:
                raise Denied(f"already live from {holder.address}")
            else:
                looked = holder.timestamp
                silent = self._clock.ticks() - (holder.media_at or holder.since) >= self._silent
                if not (silent and await self._retire(holder)):
                    await self._clock.sleep(LOOK_AGAIN)
        if self._presence.publisher(room) is not None:
            raise Denied("another publisher was quicker")

    async def _retire(self, holder: Session) -> bool:
        """Whether a silent publisher is gone. One that could not be dropped may yet be heard again, and then stays."""
        gone = await self._put_out(holder, "silent, and another publisher came", Ending.SILENT)
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
            self._nudge.set()
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
