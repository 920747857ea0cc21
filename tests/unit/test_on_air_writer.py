from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import orjson
import pytest
import sqlalchemy as sa

from control.access.verdicts import Credentials, Role, TicketClaims
from control.live.audience import Audience
from control.live.broadcast_store import BroadcastStore
from control.live.broadcasts import Broadcasts
from control.live.heartbeats import Heartbeats
from control.live.on_air_writer import AGAIN, LIFETIME, LOOK, TOGETHER, OnAir, OnAirWriter
from control.live.presence import Presence, Session, SessionKey
from control.storage.database import Store
from control.storage.log import Log
from control.storage.tables import broadcast_viewers, log, on_air
from tests.support.rows import add_room
from tests.support.world import HandClock

pytestmark = pytest.mark.anyio


class Node:
    """`shared`: others follow what it writes in the log."""

    def __init__(self, store: Store, name: str, clock: HandClock, shared: bool = False) -> None:
        self.name, self.clock, self.presence = name, clock, Presence(clock)
        self.presence.changed.clear()
        self.broadcasts = Broadcasts(clock, 10)
        self.broadcast_store = BroadcastStore(
            store=store, broadcasts=self.broadcasts, written_every=AGAIN, is_here=lambda _: True
        )
        self.writer = OnAirWriter(
            store=store,
            node=name,
            presence=self.presence,
            audience=Audience(self.presence, Heartbeats(clock, self.presence.changed)),
            broadcasts=self.broadcasts,
            clock=clock,
            log=Log(store, name, clock) if shared else None,
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
    for seconds in (0.1234567, AGAIN, AGAIN - LOOK):
        node.clock.advance(seconds)
        await node.writer.write()
        assert await written(store, on_air.c.expires_at) == [(node.clock.now() + LIFETIME,)]


async def test_others_are_told_what_is_new_and_of_viewers_alone_nothing_is_written_again(
    store: Store, rooms: list[int]
) -> None:
    node = Node(store, "ams-1", HandClock(), shared=True)
    node.push(rooms[0], 1)
    node.play(rooms[1], 2)
    await node.writer.write()
    live, watched = await written(store, on_air.c.expires_at)
    for _ in range(3):
        node.clock.advance(AGAIN)
        await node.writer.write()
    assert await written(store, on_air.c.expires_at) == [(live[0] + 3 * AGAIN,), watched]
    node.end(2)
    await node.writer.write()
    node.writer.tell_again()
    await node.writer.write()
    began = node.clock.now() - 3 * AGAIN
    told = [orjson.loads(row["details"]) for row in await store.fetch_all(sa.select(log).order_by(log.c.id))]
    assert told == [
        [[rooms[0], began, 0], [rooms[1], None, 1]],
        [[rooms[1], None, 0]],
        [[rooms[0], began, 0]],
    ]


async def test_what_goes_on_is_always_believed_as_long_as_two_writes_may_fail(
    store: Store, node: Node, rooms: list[int]
) -> None:
    node.push(rooms[0], 1)
    for _ in range(50):
        await node.writer.write()
        ((expires_at,),) = await written(store, on_air.c.expires_at)
        assert expires_at - (node.clock.now() + LOOK) >= 2 * AGAIN
        node.clock.advance(LOOK)


async def test_rooms_that_did_not_change_are_left_alone(store: Store, node: Node, rooms: list[int]) -> None:
    node.push(rooms[0], 1)
    node.push(rooms[1], 2)
    await node.writer.write()
    before = node.clock.now()
    node.clock.advance(1)
    node.play(rooms[1], 3)
    await node.writer.write()
    shown = await written(store, on_air.c.room_id, on_air.c.expires_at)
    assert shown == [(rooms[0], before + LIFETIME), (rooms[1], node.clock.now() + LIFETIME)]


async def test_what_the_control_before_had_on_air_is_taken_away(store: Store, node: Node, rooms: list[int]) -> None:
    node.push(rooms[0], 1)
    node.push(rooms[1], 2)
    await node.writer.write()
    again, told = Node(store, "ams-1", node.clock), list[OnAir]()
    again.writer.observers.append(told.extend)
    again.push(rooms[1], 2)
    await again.writer.load()
    await again.writer.write()
    assert await written(store, on_air.c.room_id) == [(rooms[1],)]
    assert OnAir(rooms[0], None, 0) in told


async def test_a_control_that_ends_writes_what_has_not_changed_too(store: Store, node: Node, rooms: list[int]) -> None:
    node.push(rooms[0], 1)
    await node.writer.write()
    node.clock.advance(1)
    await node.writer.write(again=0.0)
    assert await written(store, on_air.c.expires_at) == [(node.clock.now() + LIFETIME,)]


async def test_thousands_are_written_in_pieces(
    store: Store, node: Node, rooms: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (
        "on_air_writer.AT_A_TIME",
        "on_air_writer.PASSAGES",
        "on_air_writer.AT_ONCE",
        "broadcast_store.AT_A_TIME",
    ):
        monkeypatch.setattr(f"control.live.{name}", 2)
    for number, room in enumerate(rooms):
        node.push(room, number)
        for user in range(1, 6):
            node.play(room, 10 * user + number, user)
    await node.writer.write()
    assert await written(store) == [("ams-1", room, node.clock.now(), 5) for room in rooms]
    kept = await store.fetch_all(sa.select(broadcast_viewers))
    assert sorted((row["room_id"], row["viewer"]) for row in kept) == [
        (room, str(user)) for room in rooms for user in range(1, 6)
    ]


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
