"""What becomes of a room's publisher when another one comes: one that has fallen silent gives way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import structlog

from control.clock import Clock, Ticks
from control.live.presence import Presence, Session
from control.live.states import Ending
from control.nginx_rtmp.drops import Drops
from control.nginx_rtmp.plan import JOINING
from control.nginx_rtmp.relays import RtmpNginx
from control.nginx_rtmp.stat import SeenClient, StatError
from control.refusals import Denied

OUT_OF_HEARING = 6.0  # seconds since /stat was last read, which is done every two
LOOK_AGAIN = 0.3  # seconds between two looks at a publisher that may have fallen silent
SHARED = LOOK_AGAIN / 2  # so long a look is good for all who wait; less, or one would get its own again
LONGEST_LOOK = 6.0  # seconds; nginx waits longer for a verdict, netcall_timeout
LEAVING = 0.3  # seconds that a publisher is given to leave before a stop ends it
WAITING = 8  # newcomers to one room; encoders try again, so one at a time is usual

log = structlog.get_logger()


@dataclass(kw_only=True)
class Takeover:
    """`silent`: seconds without media after which a publisher gives way to the next. `lease`: seconds that a session is
    believed in while nginx does not answer."""

    presence: Presence
    nginxes: Mapping[str, RtmpNginx]
    drops: Drops
    clock: Clock
    silent: float
    lease: float
    _closed: bool = False
    _waiting: Counter[int] = field(default_factory=Counter)
    """Newcomers, by room."""

    def close(self) -> None:
        """Lets no publisher wait any more."""
        self._closed = True

    def is_out_of_hearing(self) -> bool:
        """Whether the last look at a /stat is so old that the lease of a session that goes on may have run out."""
        oldest = min(nginx.looks.last_at for nginx in self.nginxes.values())
        return self.clock.ticks() - oldest > min(OUT_OF_HEARING, self.lease)

    async def leaves_by_itself(self, room_id: int) -> bool:
        """Whether the room has no publisher, or its publisher goes within LEAVING without being told to."""
        if self.is_out_of_hearing():
            return False  # a publisher that we gave up may be there all the same
        publisher = self.presence.publisher(room_id)
        if publisher is None:
            return True
        return await self.presence.over(publisher.key, LEAVING) and self.presence.publisher(room_id) is None

    async def make_way(self, room_id: int) -> bool:
        """Returns once the room has no publisher: one that has fallen silent is dropped. True where that took time, in
        which anything may have changed. Raises Denied if the room has a publisher."""
        holder = self.presence.publisher(room_id)
        if holder is not None:
            await self._wait_in_line(holder)
        elif self.is_out_of_hearing():
            await self._refuse_beside_unknown(room_id)
        else:
            return False
        if self.presence.publisher(room_id) is not None:
            raise Denied("another publisher was quicker")
        return True

    async def _wait_in_line(self, holder: Session) -> None:
        """Raises Denied, at once where others wait already: each takes one of nginx's connections meanwhile."""
        if self._waiting[holder.room_id] >= WAITING:
            raise Denied(f"already live from {holder.address}, and others wait")
        self._waiting[holder.room_id] += 1
        try:
            await self._outwait(holder)
        finally:
            self._waiting[holder.room_id] -= 1
            if not self._waiting[holder.room_id]:
                del self._waiting[holder.room_id]

    async def _outwait(self, holder: Session) -> None:
        """A newcomer waits until it is known whether the one before still sends: an encoder whose link broke is back
        within a second or two, often before anything here can tell that the old connection is dead."""
        deadline = Ticks(self.clock.ticks() + LONGEST_LOOK)
        looked: int | None = None
        while self.presence.get(holder.key) is holder:
            joining = self.clock.ticks() - holder.since < JOINING
            if not await self._is_there(holder) and not joining:
                self.presence.end(holder.key)
            elif looked not in (None, holder.timestamp) or self._closed or self.clock.ticks() > deadline:
                raise Denied(f"already live from {holder.address}")
            else:
                looked = holder.timestamp
                silent = self.clock.ticks() - (holder.media_at or holder.since) >= self.silent
                if not (silent and await self._retire(holder)):
                    await self.clock.sleep(LOOK_AGAIN)

    async def _retire(self, holder: Session) -> bool:
        """Whether a silent publisher is gone. One that could not be dropped may yet be heard again, and then stays."""
        gone = await self.drops.drop(holder, "silent, and another publisher came", Ending.SILENT)
        if not gone:
            self.presence.spare(holder.key)
        return gone

    async def _refuse_beside_unknown(self, room_id: int) -> None:
        """nginx has been out of hearing, and leases ran out: a publisher that we gave up may be there all the same.
        Raises Denied where one is."""
        for nginx in self.nginxes.values():
            try:
                snapshot = await nginx.stat.recent(SHARED)
            except StatError as failure:
                log.warning("stat failed", failure=str(failure))
                continue  # as empty as far as we know
            if any(_sends(client, room_id) for client in snapshot.clients):
                nginx.looks.soon.set()
                raise Denied("already live from one that was out of hearing")

    async def _is_there(self, holder: Session) -> bool:
        """Asks /stat about one publisher. Raises Denied if there is no telling."""
        try:
            snapshot = await self.nginxes[holder.key.node].stat.recent(SHARED)
        except StatError as failure:
            log.warning("stat failed", failure=str(failure))
            raise Denied("cannot tell whether it is live already") from failure
        if snapshot.start != holder.key.start:
            return False
        client = next((each for each in snapshot.clients if each.client == holder.key.client), None)
        if client is not None:
            self.presence.hear(holder.key, client.timestamp, client.active)
        return client is not None


def _sends(client: SeenClient, room_id: int) -> bool:
    """Whether it is a publisher of the room, and no pull, which is there for as long as viewers wait."""
    return client.publishing and not client.is_relay and client.name == str(room_id)
