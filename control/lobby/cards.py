"""A room as one visitor sees it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from control.access.denials import Denials, DenialsOfUsers
from control.access.rights import Rights
from control.accounts.users import User
from control.clock import Clock
from control.lobby.known_rooms import KnownRoom, KnownRooms
from control.lobby.live_rooms import LiveRooms
from control.rooms.about import About
from control.rooms.follows import Follows
from control.snapshots.snapshots import Snapshots


@dataclass(slots=True)
class Card:
    """Lists make a hundred at a time, and a frozen one takes several times as long to make."""

    room: KnownRoom
    players: int
    is_live: bool
    is_mine: bool
    """The visitor's."""
    is_followed: bool
    is_banned: bool
    """No password helps the visitor."""
    denials: Denials
    """The visitor's."""
    snapshot_at: int
    """When it was taken, whole seconds since the epoch; 0: there is none."""

    @property
    def room_id(self) -> int:
        return self.room.about.room_id

    @property
    def about(self) -> About:
        return self.room.about

    @property
    def anchor(self) -> User:
        return self.room.anchor

    @property
    def rights(self) -> Rights:
        return self.room.rights

    @property
    def need_password(self) -> bool:
        """The visitor must know the viewing password to watch: it was not issued, which would be told to every user."""
        return not (self.is_mine or (self.room.rights.is_open and not self.is_banned))

    @property
    def anchor_password(self) -> str:
        """Like the other, "" where the visitor may not know it."""
        return self.rights.anchor_password if self.is_mine else ""

    @property
    def assist_password(self) -> str:
        return self.rights.assist_password if self.is_mine else ""


@dataclass(frozen=True, kw_only=True)
class Cards:
    """At most one query of a kind, however many rooms; none for what is in memory."""

    rooms: KnownRooms
    denials: DenialsOfUsers
    follows: Follows
    live: LiveRooms
    snapshots: Snapshots
    clock: Clock

    async def of(self, visitor: User, room_ids: Iterable[int]) -> list[Card]:
        """Of the rooms that exist, in their order."""
        rooms = await self.rooms.of_all(room_ids)
        followed = await self.follows.of(visitor.id)
        denials = await self.denials.of(visitor.id)
        now, live, snapshots = self.clock.now(), self.live, self.snapshots
        banned = {room_id for room_id, until in denials.banned_until.items() if until > now}
        return [
            Card(
                room,
                live.players(room_id),
                live.is_live(room_id),
                room.about.owner_id == visitor.id,
                room_id in followed,
                room_id in banned,
                denials,
                snapshots.taken_at(room_id),
            )
            for room_id, room in rooms.items()
        ]
