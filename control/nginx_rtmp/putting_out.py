"""Who watches a room, at all nodes together, and putting one of them out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from control.access.admission import Admission
from control.access.guests import Guests
from control.clock import Clock, Ticks
from control.live.audience import Audience, Viewer
from control.live.leases import Leases
from control.live.presence import Presence, SessionKey
from control.live.questions import WAITED, Questions
from control.lobby.live_rooms import LiveRooms
from control.nginx_rtmp.clients import Clients

SEEN_TO_GO = 3.0  # seconds
VIEWERS, KICK, WATCHING, GONE, LEAVES = "viewers", "kick", "watching", "gone", "leaves"


@dataclass(slots=True)
class Receipt:
    """What came of putting somebody out."""

    concerned: int = 0
    """Who watched."""
    gone: int = 0
    """Those of them who were seen to go within SEEN_TO_GO."""
    addresses: set[str] = field(default_factory=set)
    """Where they watched from, as far as a ticket tells who they are."""


@dataclass(kw_only=True)
class Moderation:
    audience: Audience
    presence: Presence
    leases: Leases
    live_rooms: LiveRooms
    admission: Admission
    guests: Guests
    clients: Clients
    questions: Questions
    clock: Clock

    def __post_init__(self) -> None:
        self.questions.answer(VIEWERS, self._viewers)
        self.questions.answer(KICK, self._kick)
        self.questions.answer(WATCHING, self._watching)
        self.questions.answer(GONE, self._left)
        self.questions.answer(LEAVES, self._leaves)

    async def viewers(self, room_id: int, most: int) -> tuple[int, list[Viewer]]:
        """How many are counted, and those of them who are here the longest, at most so many."""
        number, here = self.audience.viewers(room_id, most)
        now = self.clock.ticks()
        for elsewhere, told in await self._ask(VIEWERS, room_id, most):
            number += elsewhere
            here += [Viewer(name, user, Ticks(now - seconds), None, protocol) for name, user, seconds, protocol in told]
        return number, sorted(here, key=lambda viewer: (viewer.since, viewer.id))[:most]

    async def leaves_by_itself(self, room_id: int) -> bool:
        """Whether the room has no publisher, or its publisher goes at once without being told to."""
        origin = self.leases.origin(room_id)
        if origin is None:
            return await self.clients.takeover.leaves_by_itself(room_id)
        return any(await self.questions.ask([origin.node], LEAVES, room_id))

    async def kick(self, room_id: int, viewer_id: str) -> tuple[int, Receipt]:
        """The user, 0 for one who is not known, and what came of it. Nobody is concerned where the viewer has gone,
        which is what was wanted."""
        viewer = self.audience.viewer(room_id, viewer_id)
        if viewer is None:
            answers = await self._ask(KICK, room_id, viewer_id, within=SEEN_TO_GO + 1)
            user_id, *rest = next((each for each in answers if each[1]), (0, 0, 0))
            return user_id, Receipt(*rest)
        if not viewer.user_id:
            receipt = Receipt(1)
            if viewer.session is not None:
                await self.clients.kick(viewer.session)
                receipt.gone = int(await self.presence.over(viewer.session.key, SEEN_TO_GO))
            return 0, receipt
        async with self.putting_out(room_id, viewer.user_id) as receipt:
            if viewer.user_id < 0:
                addresses = self.audience.addresses(room_id, viewer.user_id)
                await self.guests.throw_out(room_id, viewer.user_id, addresses, self.audience.users(room_id))
            else:  # the ticket would let the player back in by itself
                await self.admission.take_back(room_id, viewer.user_id)
        return viewer.user_id, receipt

    @asynccontextmanager
    async def putting_out(self, room_id: int, user_id: int) -> AsyncIterator[Receipt]:
        """In the block the user loses the right to watch the room. The receipt has their addresses then, and is filled
        in at the end."""
        here, keys = await self._watching(room_id, user_id), self._sessions(room_id, user_id)
        watching = [here, *await self._ask(WATCHING, room_id, user_id)]
        concerned = sum(number for number, _ in watching)
        receipt = Receipt(concerned, addresses={address for _, addresses in watching for address in addresses})
        yield receipt
        stay = await self._still_there(room_id, user_id, keys)
        if concerned > here[0]:
            stay += sum(await self._ask(GONE, room_id, user_id, within=SEEN_TO_GO + 1))
        receipt.gone = max(0, concerned - stay)

    async def _ask(self, what: str, room_id: int, *more: Any, within: float = WAITED) -> list[Any]:
        """Those nodes alone where somebody watches the room: each question is read by all."""
        return await self.questions.ask(self.live_rooms.others_with(room_id), what, room_id, *more, within=within)

    def _sessions(self, room_id: int, user_id: int) -> list[SessionKey]:
        return [each.key for each in self.presence.in_room(room_id) if user_id and each.user_id == user_id]

    async def _still_there(self, room_id: int, user_id: int, keys: Collection[SessionKey]) -> int:
        over = await asyncio.gather(*(self.presence.over(key, SEEN_TO_GO) for key in keys))
        over_hls = user_id in self.audience.users(room_id) and not self._sessions(room_id, user_id)
        return over.count(False) + over_hls

    async def _viewers(self, room_id: int, most: int) -> tuple[int, list[tuple[Any, ...]]]:
        number, told = self.audience.viewers(room_id, most)
        now = self.clock.ticks()
        return number, [(each.id, each.user_id, now - each.since, each.protocol) for each in told]

    async def _kick(self, room_id: int, viewer_id: str) -> tuple[int, int, int] | None:
        """None where that is nobody of this node's."""
        if self.audience.viewer(room_id, viewer_id) is None:
            return None
        user_id, receipt = await self.kick(room_id, viewer_id)
        return user_id, receipt.concerned, receipt.gone

    async def _watching(self, room_id: int, user_id: int) -> tuple[int, list[str]]:
        """How often, and from where."""
        number = len(self._sessions(room_id, user_id)) or int(user_id in self.audience.users(room_id))
        return number, sorted(self.audience.addresses(room_id, user_id))

    async def _left(self, room_id: int, user_id: int) -> int:
        """How many stay."""
        return await self._still_there(room_id, user_id, self._sessions(room_id, user_id))

    async def _leaves(self, room_id: int) -> bool | None:
        """None where its publisher is not here."""
        return await self.clients.takeover.leaves_by_itself(room_id) if self.leases.own(room_id) else None
