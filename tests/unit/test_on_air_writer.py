from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from control.access.verdicts import Credentials, Role, TicketClaims
from control.live.audience import Audience
from control.live.broadcast_store import BroadcastStore
from control.live.broadcasts import Broadcasts
from control.live.heartbeats import Heartbeats
from control.live.on_air_writer import AGAIN, LIFETIME, TOGETHER, OnAirWriter
from control.live.presence import Presence, Session, SessionKey
from control.storage.database import Store
from control.storage.tables import on_air
from tests.support.rows import add_room
from tests.support.world import HandClock

pytestmark = pytest.mark.anyio


class Node:
    """One that shares its database with others."""

    def __init__(self, store: Store, name: str, clock: HandClock) -> None:
        self.name, self.clock, self.presence = name, clock, Presence(clock)
        self.presence.changed.clear()
        broadcasts = Broadcasts(clock, 10)
        self.broadcast_store = BroadcastStore(store, broadcasts, AGAIN)
        self.writer = OnAirWriter(
            store=store,
            node=name,
            presence=self.presence,
            audience=Audience(self.presence, Heartbeats(clock, self.presence.changed)),
            broadcasts=broadcasts,
            broadcast_store=self.broadcast_store,
            clock=clock,
        )

    def play(self, room: int, client: int, user: int = 1) -> None:
        shown = Credentials(ticket=TicketClaims(room, user, 1, 2**50))
        self.presence.admit(self._session(room, client, Role.PLAYER, credentials=shown))

    def push(self, room: int, client: int, **more: Any) -> None:
        session = self._session(room, client, Role.PUBLISHER, encoder="obs", **more)
        self.presence.admit(session)
        self.presence.hear(session.key, 500)

    def end(self, client: int) -> None:
        self.presence.end(SessionKey(self.name, "s1", client))

    def _session(self, room: int, client: int, role: Role, **more: Any) -> Session:
        usual = {"since": self.clock.ticks()}
        return Session(SessionKey(self.name, "s1", client), role, room, "192.0.2.7", **usual | more)


@pytest.fixture
async def rooms(store: Store) -> list[int]:
    return [await add_room(store, number) for number in range(3)]


@pytest.fixture
def node(store: Store) -> Node:
    return Node(store, "ams-1", HandClock())


async def written(store: Store, *columns: sa.Column[Any]) -> Sequence[tuple[Any, ...]]:
    shown = columns or (on_air.c.node, on_air.c.room_id, on_air.c.live_since, on_air.c.players)
    rows = await store.fetch_all(sa.select(*shown).order_by(on_air.c.node, on_air.c.room_id))
    return [tuple(row[column.name] for column in shown) for row in rows]


async def test_what_goes_on_is_written(store: Store, node: Node, rooms: list[int]) -> None:
    node.push(rooms[0], 1)
    node.play(rooms[0], 2)
    node.play(rooms[1], 3)
    await node.writer.write()
    assert await written(store) == [
        ("ams-1", rooms[0], node.clock.now(), 1),
        ("ams-1", rooms[1], None, 1),
    ]


async def test_what_has_ended_is_taken_away(store: Store, node: Node, rooms: list[int]) -> None:
    node.push(rooms[0], 1)
    node.play(rooms[1], 2)
    await node.writer.write()
    node.end(1)
    await node.writer.write()
    assert await written(store, on_air.c.room_id) == [(rooms[1],)]


async def test_what_goes_on_is_believed_for_a_while(store: Store, node: Node, rooms: list[int]) -> None:
    node.push(rooms[0], 1)
    for _ in range(2):
        node.clock.advance(0.1234567)
        await node.writer.write()
        assert await written(store, on_air.c.expires_at) == [(node.clock.now() + LIFETIME,)]


async def settled() -> None:
    """What is ready to run has run."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_change_is_waited_for_and_then_gathered_with_others(node: Node) -> None:
    waiting = asyncio.create_task(node.writer.next_change())
    await settled()
    node.play(1000001, 1)
    await settled()
    assert not waiting.done()
    node.clock.advance(TOGETHER)
    await asyncio.wait_for(waiting, 2)


async def test_without_a_change_rows_are_renewed(node: Node) -> None:
    waiting = asyncio.create_task(node.writer.next_change())
    await settled()
    node.clock.advance(AGAIN)
    await asyncio.wait_for(waiting, 2)
    assert not node.presence.changed.is_set()
