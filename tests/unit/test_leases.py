from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import sqlalchemy as sa

from control.clock import SystemClock
from control.live.leases import LATER
from control.live.nodes import OtherKeys
from control.live.presence import Home
from control.refusals import Denied
from control.storage.database import Store
from control.storage.tables import leases, nodes
from tests.support.nodes import StandInNode, running
from tests.support.rows import add_room
from tests.support.world import HandClock

pytestmark = pytest.mark.anyio


async def two(store: Store) -> tuple[StandInNode, StandInNode, int]:
    room = await add_room(store, 1)
    a, b = StandInNode(store, "a", clock=SystemClock()), StandInNode(store, "b", clock=SystemClock())
    for node in (a, b, a):
        await node.begin()
    await b.log.follow()
    return a, b, room


@asynccontextmanager
async def at_work(*members: StandInNode) -> AsyncIterator[None]:
    task = asyncio.create_task(running(*members))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_others_know_where_a_stream_is_and_its_own_node_takes_it_from_nowhere(store: Store) -> None:
    a, b, room = await two(store)
    await a.publish(room)
    await b.step()
    assert (a.leases.origin(room), b.leases.origin(room)) == (None, Home("a", "1"))
    assert (a.leases.own(room), b.leases.own(room)) == (Home("a", "1"), None)
    assert b.leases.origins() == {room: Home("a", "1")}


async def test_a_publisher_that_comes_back_at_its_node_goes_on_in_its_epoch_and_elsewhere_in_the_next(
    store: Store,
) -> None:
    a, b, room = await two(store)
    await a.publish(room)
    a.leave(room)
    await a.step()
    await a.publish(room)
    assert a.leases.own(room) == Home("a", "1")
    a.leave(room)
    await a.step()
    await b.step()
    await b.publish(room)
    await a.step()
    assert (a.leases.origin(room), a.leases.own(room), b.leases.own(room)) == (Home("b", "2"), None, Home("b", "2"))


async def test_who_waits_for_a_publisher_that_went_waits_at_its_node_for_a_time(store: Store) -> None:
    clock, room = HandClock(), await add_room(store, 1)
    a, b = await StandInNode(store, "a").begin(), await StandInNode(store, "b", clock=clock).begin()
    await a.publish(room)
    a.leave(room)
    await a.step()
    await b.step()
    assert b.leases.origin(room) == Home("a", "1")
    clock.advance(LATER)
    assert b.leases.origin(room) is None


async def test_a_room_that_is_live_at_another_node_is_refused(store: Store) -> None:
    a, b, room = await two(store)
    await a.publish(room)
    async with at_work(a, b):
        with pytest.raises(Denied, match="already live at node a"):
            await b.publish(room)
    assert a.leases.own(room) == Home("a", "1") and b.leases.origin(room) == Home("a", "1")


async def test_a_silent_publisher_at_another_node_gives_way(store: Store) -> None:
    a, b, room = await two(store)
    await a.publish(room)
    a.yields = True
    async with at_work(a, b):
        await b.publish(room)
    assert b.leases.own(room) == Home("b", "2")


async def test_a_node_that_does_not_answer_loses_its_room_before_it_is_known_to_have_ended(store: Store) -> None:
    a, b, room = await two(store)
    await a.publish(room)
    lost = list[int]()
    a.leases.lost.append(lost.append)
    async with at_work(b):
        await b.publish(room)
    assert b.leases.own(room) == Home("b", "2")
    await a.step()  # it was cut off, and is back
    assert (a.leases.origin(room), lost) == (Home("b", "2"), [room])


async def test_what_a_node_that_has_ended_had_is_free_at_once(store: Store) -> None:
    a, b, room = await two(store)
    await a.publish(room)
    await a.ends()
    await b.nodes.beat()
    await b.publish(room)  # with nobody who follows the log
    assert b.leases.own(room) == Home("b", "2")


async def test_of_two_at_the_same_moment_the_database_takes_one(store: Store) -> None:
    a, b, _ = await two(store)
    rooms = [await add_room(store, number) for number in range(2, 102)]
    async with at_work(a, b):
        for room in rooms:
            both = await asyncio.gather(a.publish(room), b.publish(room), return_exceptions=True)
            assert [type(each) for each in both if each] == [Denied]


async def test_a_publisher_that_is_found_without_a_lease_gets_one_if_nobody_has_it(store: Store) -> None:
    a, b, room = await two(store)
    other = await add_room(store, 2)
    await b.publish(other)
    a.find_publisher(room)
    a.find_publisher(other)
    await a.step()
    await a.step()
    assert a.leases.own(room) == Home("a", "1")
    assert (a.leases.own(other), a.leases.origin(other)) == (None, Home("b", "1"))


async def test_who_began_anew_goes_on_giving_rooms_back(store: Store) -> None:
    clock, rooms = HandClock(), [await add_room(store, number) for number in (1, 2)]
    a = await StandInNode(store, "a", clock=clock).begin()
    await a.publish(rooms[0])
    a.leave(rooms[0])
    await a.step()
    await a.leases.load()  # which knows of no room that was given back
    clock.advance(LATER + 1)
    await a.publish(rooms[1])
    a.leave(rooms[1])
    await a.step()
    query = sa.select(leases.c.room_id).where(leases.c.held == sa.true())
    assert await store.fetch_all(query) == []


async def test_a_publisher_of_a_room_that_is_gone_is_in_no_others_way(store: Store) -> None:
    a, _, room = await two(store)
    a.find_publisher(5)
    await a.publish(room)
    a.leave(room)
    await a.step()
    await a.step()
    assert await store.fetch_all(sa.select(leases.c.room_id).where(leases.c.held == sa.true())) == []


async def test_a_node_that_is_alone_claims_nothing(store: Store) -> None:
    alone, room = await StandInNode(store, shared=False).begin(), await add_room(store, 1)
    await alone.publish(room)
    assert alone.leases.own(room) is None and alone.leases.origin(room) is None


async def test_a_node_with_other_keys_is_told(store: Store) -> None:
    await StandInNode(store, "a").begin()
    await store.write(nodes.update().values(keys="others"))
    with pytest.raises(OtherKeys, match="node a signs with other keys"):
        await StandInNode(store, "b").begin()
