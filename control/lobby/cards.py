"""A room as one visitor sees it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from control.access.denials import Denials, DenialsOfUsers
from control.access.rights import Rights, RightsOfRooms
from control.accounts.users import User, Users
from control.clock import Clock
from control.lobby.live_rooms import LiveRooms
from control.rooms.about import About, AboutRooms
from control.rooms.follows import Follows
from control.snapshots.snapshots import Snapshots


@dataclass(slots=True)
class Card:
    """Lists make a hundred at a time, and a frozen one takes several times as long to make."""

    about: About
    anchor: User
    """The room's owner."""
    rights: Rights
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
        return self.about.room_id

    @property
    def need_password(self) -> bool:
        """The visitor must know the viewing password to watch: it was not issued, which would be told to every user."""
        return not (self.is_mine or (self.rights.is_open and not self.is_banned))

    @property
    def anchor_password(self) -> str:
        """Like the other two, "" where the visitor may not know it."""
        return self.rights.anchor_password if self.is_mine else ""

    @property
    def assist_password(self) -> str:
        return self.rights.assist_password if self.is_mine else ""

    @property
    def user_password(self) -> str:
        return "" if self.need_password else self.rights.user_password


@dataclass(frozen=True, kw_only=True)
class Cards:
    """At most one query of a kind, however many rooms; none for what is in memory."""

    about: AboutRooms
    users: Users
    rights: RightsOfRooms
    denials: DenialsOfUsers
    follows: Follows
    live: LiveRooms
    snapshots: Snapshots
    clock: Clock

    async def of(self, visitor: User, room_ids: Iterable[int]) -> list[Card]:
        """Of the rooms that exist, in their order."""
        about = await self.about.of_all(room_ids)
        owners = await self.users.of_all([each.owner_id for each in about.values()])
        rights = await self.rights.of_all(about)
        followed = await self.follows.of(visitor.id)
        denials = await self.denials.of(visitor.id)
        now, live, snapshots = self.clock.now(), self.live, self.snapshots
        banned = {room_id for room_id, until in denials.banned_until.items() if until > now}
        return [
            Card(
                each,
                owners[each.owner_id],
                rights[room_id],
                live.players(room_id),
                live.is_live(room_id),
                each.owner_id == visitor.id,
                room_id in followed,
                room_id in banned,
                denials,
                snapshots.taken_at(room_id),
            )
            for room_id, each in about.items()
        ]
