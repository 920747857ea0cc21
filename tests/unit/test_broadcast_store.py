from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from control.live.broadcasts import REMEMBERED
from control.live.states import Ending
from control.storage.database import Store
from control.storage.tables import broadcast_viewers, broadcasts
from tests.support.rows import add_room
from tests.support.world import HandClock
from tests.unit.test_on_air_writer import Node

pytestmark = pytest.mark.anyio


@pytest.fixture
async def room(store: Store) -> int:
    return await add_room(store, 1)


@pytest.fixture
def node(store: Store) -> Node:
    return Node(store, "ams-1", HandClock())


async def rows(store: Store) -> list[dict[str, Any]]:
    return [dict(row) for row in await store.fetch_all(sa.select(broadcasts).order_by(broadcasts.c.started_at))]


async def viewers(store: Store) -> set[str]:
    return {row["viewer"] for row in await store.fetch_all(sa.select(broadcast_viewers))}


async def test_a_broadcast_is_one_row_from_its_beginning_to_its_end(store: Store, node: Node, room: int) -> None:
    node.push(room, 1)
    node.play(room, 2, user=7)
    began = node.clock.now()
    await node.writer.write()
    node.clock.advance(5)
    await node.writer.write()
    node.end(1)
    await node.writer.write()
    assert await rows(store) == [
        {
            "room_id": room,
            "started_at": began,
            "publisher": "ams-1.s1.1",
            "seen_at": began + 5,
            "ended_at": began + 5,
            "ending": "left",
            "encoder": "obs",
            "peak_viewers": 1,
            "total_viewers": 1,
            "watch_seconds": 5.0,
            "closed": False,
            "told": "",
        }
    ]


async def test_another_control_of_the_node_goes_on_with_it(store: Store, node: Node, room: int) -> None:
    node.push(room, 1)
    node.play(room, 2, user=7)
    node.play(room, 3, user=8)
    await node.writer.write()
    node.clock.advance(60)
    again = Node(store, "ams-1", node.clock)
    await again.broadcast_store.load()
    again.push(room, 1, since=node.clock.ticks() - 60)
    again.play(room, 3, user=8)
    again.play(room, 4, user=9)
    await again.writer.write()
    (row,) = await rows(store)
    assert (row["ended_at"], row["peak_viewers"], row["total_viewers"]) == (None, 2, 3)
    assert await viewers(store) == {"7", "8", "9"}


async def test_another_control_of_the_node_ends_what_is_no_more(store: Store, node: Node, room: int) -> None:
    node.push(room, 1)
    await node.writer.write()
    seen = node.clock.now()
    node.clock.advance(60)
    again = Node(store, "ams-1", node.clock)
    await again.broadcast_store.load()
    await again.writer.write()
    (row,) = await rows(store)
    assert (row["ended_at"], row["ending"]) == (seen, "lost")


async def test_a_node_by_another_name_takes_them_over(store: Store, node: Node, room: int) -> None:
    node.push(room, 1)
    await node.writer.write()
    other = Node(store, "fra-1", node.clock)
    await other.broadcast_store.load()
    await other.writer.write()
    assert (await rows(store))[0]["ending"] == "lost"


async def test_who_watched_is_forgotten_when_it_is_closed(store: Store, node: Node, room: int) -> None:
    node.push(room, 1)
    node.play(room, 2, user=7)
    await node.writer.write()
    node.end(1)
    await node.writer.write()
    assert await viewers(store) == {"7"}
    node.clock.advance(REMEMBERED + 1)
    await node.writer.write()
    assert await viewers(store) == set()
    (row,) = await rows(store)
    assert (row["closed"], row["total_viewers"]) == (True, 1)


async def test_what_could_not_be_written_is_written_later(
    store: Store, node: Node, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    node.push(room, 1)
    node.play(room, 2, user=7)
    with monkeypatch.context() as broken:
        broken.setattr(store, "writing", lambda: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            await node.writer.write()
    node.end(1)
    await node.writer.write()
    (row,) = await rows(store)
    assert (row["ending"], row["total_viewers"], await viewers(store)) == ("left", 1, {"7"})


async def test_an_owner_is_told_the_latest_first(store: Store, node: Node, room: int) -> None:
    began = []
    for client in range(3):
        node.push(room, client)
        began.append(node.clock.now())
        await node.writer.write()
        node.end(client)
        await node.writer.write()
        node.clock.advance(60)
    entries = await node.broadcast_store.of_room(room, 0, 2)
    assert [(entry.started_at, entry.ending) for entry in entries] == [(at, Ending.LEFT) for at in (began[2], began[1])]
    assert [entry.started_at for entry in await node.broadcast_store.of_room(room, began[1], 2)] == [began[0]]
