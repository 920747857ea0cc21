from __future__ import annotations

import pytest
import sqlalchemy as sa

from control.live.nodes import LIFETIME, LONG_GONE
from control.live.on_air_writer import OnAir
from control.lobby.live_rooms import LiveRooms
from control.storage.database import Store
from control.storage.sql import database_now
from control.storage.tables import leases, nodes, on_air
from tests.support.nodes import StandInNode
from tests.support.rows import add_room
from tests.support.world import HandClock

pytestmark = pytest.mark.anyio


async def said(store: Store, node: str, room: int, since: float | None, players: int, expires_at: float) -> None:
    row = {"node": node, "room_id": room, "live_since": since, "players": players, "expires_at": expires_at}
    await store.write(on_air.insert().values(row))


def order(live: LiveRooms) -> list[int]:
    return [room for _, room in live.below(live.top, 1000)]


async def test_what_the_control_before_wrote_holds_until_this_one_has_seen_for_itself(store: Store) -> None:
    node, room, old = StandInNode(store, shared=False), await add_room(store, 1), await add_room(store, 2)
    await said(store, "local", room, 5.0, 3, node.clock.now() + 10)
    await said(store, "local", old, 5.0, 3, node.clock.now() - 1)
    live = node.live_rooms
    await live.load()
    assert (order(live), live.players(room)) == ([room], 3)
    live.observe([OnAir(room, None, 0)])
    assert (order(live), live.players(room), [*live.rooms()]) == ([], 0, [])
    assert live.departures == 1


async def test_what_others_had_is_dropped_as_it_expires_by_a_node_that_is_alone_now(store: Store) -> None:
    clock, room = HandClock(), await add_room(store, 1)
    node = StandInNode(store, shared=False, clock=clock)
    await said(store, "other", room, 5.0, 3, clock.now() + 10)
    live = node.live_rooms
    await live.load()
    live.observe([])
    assert (order(live), live.players(room)) == ([room], 3)
    clock.advance(10)
    live.observe([])
    assert (order(live), live.players(room)) == ([], 0)


async def test_what_several_nodes_have_is_one(store: Store) -> None:
    room, other = await add_room(store, 1), await add_room(store, 2)
    await said(store, "gone", room, 1.0, 9, 1e12)  # which wrote last before it ended
    node, second, third = [await StandInNode(store, name).begin() for name in ("node", "second", "third")]
    await node.log.follow()
    live = node.live_rooms
    live.observe([OnAir(room, 8.0, 2)])
    await second.says([OnAir(room, None, 3), OnAir(other, 7.0, 1)])
    await third.says([OnAir(other, 9.0, 1)])
    await node.log.follow()
    assert (order(live), live.players(room), live.players(other)) == ([other, room], 5, 2)
    await third.says([OnAir(other, None, 0)])
    await node.log.follow()
    assert (order(live), live.players(room), live.players(other)) == ([room, other], 5, 1)
    await second.ends()
    await node.nodes.beat()
    assert (order(live), live.players(room)) == ([room], 2)


async def test_of_a_node_that_is_long_gone_nothing_is_kept(store: Store) -> None:
    node, gone, lately = [await StandInNode(store, name).begin() for name in ("node", "gone", "lately")]
    rooms = [await add_room(store, number) for number in (1, 2)]
    for each, room, ago in ((gone, rooms[0], LONG_GONE + 1), (lately, rooms[1], LONG_GONE - 9)):
        await each.publish(room)
        await said(store, each.name, room, 1.0, 1, 0.0)
        of_it = nodes.c.name == each.name
        await store.write(nodes.update().where(of_it).values(expires_at=database_now() - ago))
    await node.nodes.purge()
    assert [row["name"] for row in await store.fetch_all(sa.select(nodes).order_by(nodes.c.name))] == ["lately", "node"]
    assert [row["node"] for row in await store.fetch_all(sa.select(on_air))] == ["lately"]
    held = sa.select(leases.c.room_id).where(leases.c.held == sa.true())
    assert [row["room_id"] for row in await store.fetch_all(held)] == [rooms[1]]


async def test_what_others_have_is_read_in_pieces(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("control.lobby.live_rooms.AT_A_TIME", 2)
    rooms = [await add_room(store, number) for number in range(3)]
    for name in ("other", "third"):
        await StandInNode(store, name).begin()
        for since, room in enumerate(rooms):
            await said(store, name, room, float(since), 1, 0.0)  # they live: when they wrote it does not matter
    live = (await StandInNode(store, "node").begin()).live_rooms
    assert (order(live), [live.players(room) for room in rooms]) == (rooms[::-1], [2, 2, 2])


async def test_a_room_that_waits_for_its_publisher_is_not_live(store: Store) -> None:
    live = StandInNode(store).live_rooms
    live.observe([OnAir(7, None, 2)])
    assert not live.is_live(7) and live.players(7) == 2 and order(live) == []
    live.observe([OnAir(7, 3.0, 2)])
    assert live.is_live(7) and live.place(7) == (3.0, 7)


async def test_after_the_database_was_away_others_are_given_time_to_say_that_they_live(store: Store) -> None:
    clock, room = HandClock(), await add_room(store, 1)
    node, other = await StandInNode(store, "node", clock=clock).begin(), await StandInNode(store, "other").begin()
    await node.log.follow()
    await other.says([OnAir(room, 8.0, 2)])
    await node.log.follow()
    clock.advance(30)
    await node.ends()
    await other.ends()
    for _ in range(3):
        await node.nodes.beat()
        clock.advance(LIFETIME / 4)
        assert order(node.live_rooms) == [room]
    await other.nodes.beat()
    for _ in range(4):
        await node.nodes.beat()
        clock.advance(LIFETIME / 4)
    assert order(node.live_rooms) == [room]
    await other.ends()
    await node.nodes.beat()
    assert order(node.live_rooms) == []
