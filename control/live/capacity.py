"""Whether one more fits: a viewer into a room and this node, a publisher into this node.

Counts are those that lists show, and who was let in since: asked of memory, as verdicts are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from math import inf
from typing import NamedTuple

from control.clock import Clock, Ticks
from control.live.on_air_writer import OnAir
from control.live.presence import Presence
from control.refusals import Denied
from control.storage.room_events import EventKind, Gathering


class NodeQuota(NamedTuple):
    """0: any number."""

    rooms: int = 0
    """That are live here at a time."""
    viewers: int = 0
    """Here at a time."""


def of_node(limits: Mapping[str, int]) -> NodeQuota:
    """By settings."""
    return NodeQuota(limits.get("node-rooms", 0), limits.get("node-viewers", 0))


ROOM_FULL, NODE_FULL, NO_ROOM = "room is full", "node is full", "node has no room for another room"
NEVER = Ticks(-inf)
AGAIN = 60.0  # seconds between two events of a room that somebody was refused for the same reason


class Capacity:
    """`players` tells how many watch a room, at all nodes."""

    def __init__(
        self,
        *,
        presence: Presence,
        players: Callable[[int], int],
        node: NodeQuota,
        events: Gathering,
        clock: Clock,
    ) -> None:
        self._presence = presence
        self._players = players
        self.node = node
        self._events = events
        self._clock = clock
        self._here: dict[int, int] = {}
        """Viewers of each room at this node."""
        self._all_here = 0
        self._new: defaultdict[int, int] = defaultdict(int)
        """Let in since they were counted."""
        self._told: dict[tuple[int, str], Ticks] = {}
        """When a room's owner was, lately."""

    def observe(self, rooms: Iterable[OnAir]) -> None:
        """How rooms of this node are now."""
        for room in rooms:
            self._new.pop(room.room_id, None)
            self._all_here += room.players - self._here.pop(room.room_id, 0)
            if room.players:
                self._here[room.room_id] = room.players

    def take_viewer(self, room_id: int, most: int) -> None:
        """`most`: in the room, 0 for any number. Raises Denied where no other fits; else there is one more."""
        if most and self._players(room_id) + self._new[room_id] >= most:
            self._tell(room_id, "viewers", most)
            raise Denied(ROOM_FULL)
        if self.node.viewers and self._all_here + sum(self._new.values()) >= self.node.viewers:
            raise Denied(NODE_FULL)
        if most or self.node.viewers:
            self._new[room_id] += 1

    def require_room(self, room_id: int) -> None:
        """For a publisher. Raises Denied where no other room fits into this node."""
        most = self.node.rooms
        if most and len({each.room_id for each in self._presence.publishers()} - {room_id}) >= most:
            self._tell(room_id, "rooms", most)
            raise Denied(NO_ROOM)

    def _tell(self, room_id: int, limit: str, most: int) -> None:
        now = self._clock.ticks()
        if now - self._told.get((room_id, limit), NEVER) < AGAIN:
            return
        self._told = {name: at for name, at in self._told.items() if now - at < AGAIN} | {(room_id, limit): now}
        self._events.put(room_id, EventKind.LIMIT, limit=limit, value=most, most=most, action="refuse")
