from __future__ import annotations

import pytest

from control.storage.changes import Change, Changed, Changes
from control.storage.database import Store
from control.storage.log import Log
from tests.support.serving import until
from tests.support.world import HandClock

pytestmark = pytest.mark.anyio
CHANGE = Change(Changed.ROOM, 7)


class Node:
    """What a node hears of."""

    def __init__(self, store: Store, name: str) -> None:
        self.clock = HandClock()
        self.log = Log(store, name, self.clock)
        self.changes = Changes(store, self.log)
        self.heard: list[Change | str] = []
        self.changes.forget(lambda _: self.heard.append("forgot"), lambda: self.heard.append("forgot all"))
        self.changes.listen(self._act)
        self.changes.present(lambda: [3])

    async def _act(self, change: Change) -> None:
        self.heard.append(change)


async def test_what_lies_in_memory_is_forgotten_first(store: Store) -> None:
    node = Node(store, "a")
    await node.changes.write(CHANGE)
    assert node.heard == ["forgot", CHANGE]


async def test_each_acts_also_where_another_cannot(store: Store) -> None:
    node = Node(store, "a")

    async def fail(_: Change) -> None:
        raise OSError("the disk is full")

    changes = Changes(store, node.log)
    changes.listen(fail)
    heard = list[Change]()

    async def act(change: Change) -> None:
        heard.append(change)

    changes.listen(act)
    with pytest.raises(OSError, match="disk"):
        async with changes.writing() as (_, note):
            note(CHANGE)
            note(Change(Changed.USER, 0, 1))
    assert heard == [CHANGE, Change(Changed.USER, 0, 1)]


async def test_what_was_not_committed_is_not_announced(store: Store) -> None:
    node, other = Node(store, "a"), Node(store, "b")
    await other.log.begin()
    with pytest.raises(OSError, match="disk"):
        async with node.changes.writing() as (_, note):
            note(CHANGE)
            raise OSError("the disk is full")
    await other.log.follow()
    assert node.heard == other.heard == []


async def test_another_node_hears_of_a_change_and_the_writer_does_not_hear_it_again(store: Store) -> None:
    node, other = Node(store, "a"), Node(store, "b")
    for each in (node, other):
        await each.log.begin()
    await node.changes.write(CHANGE)
    for each in (node, other):
        await each.log.follow()
    await until(lambda: other.heard == ["forgot", CHANGE])
    assert node.heard == ["forgot", CHANGE]


async def test_who_fell_behind_forgets_everything_and_looks_at_every_room(store: Store) -> None:
    node, other = Node(store, "a"), Node(store, "b")
    await other.log.begin()
    await node.changes.write(CHANGE)
    node.clock.advance(3600)
    await node.changes.write(CHANGE)
    await node.log.trim()
    await other.log.follow()
    await until(lambda: other.heard == ["forgot all", Change(Changed.ROOM, 3)])
    await node.changes.write(CHANGE)
    await other.log.follow()
    await until(lambda: other.heard[-2:] == ["forgot", CHANGE])
