from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from control.storage.cache import Cache, GroupedCache

pytestmark = pytest.mark.anyio


class Rows:
    """Stands in for a database; `hold` keeps answers back that were read already."""

    def __init__(self, **values: str) -> None:
        self.values = values
        self.asked: list[list[str]] = []
        self.go_on = asyncio.Event()
        self.go_on.set()

    def hold(self) -> None:
        self.go_on.clear()

    async def load(self, keys: Sequence[str]) -> dict[str, str]:
        self.asked.append([*keys])
        found = {key: self.values[key] for key in keys if key in self.values}
        await self.go_on.wait()
        return found


async def test_what_was_asked_before_is_not_asked_again() -> None:
    rows = Rows(a="1")
    cache = Cache(rows.load, 10)
    assert cache.peek("a") is None
    assert [await cache.get("a"), await cache.get("a"), cache.peek("a")] == ["1", "1", "1"]
    assert rows.asked == [["a"]]


async def test_what_is_not_there_is_asked_for_each_time() -> None:
    rows = Rows()
    cache = Cache(rows.load, 10)
    assert [await cache.get("a"), await cache.get("a")] == [None, None]
    rows.values["a"] = "1"
    assert await cache.get("a") == "1"


async def test_many_are_one_query_and_come_in_the_order_of_their_keys() -> None:
    rows = Rows(a="1", b="2", c="3")
    cache = Cache(rows.load, 10)
    await cache.get("b")
    assert list((await cache.get_all("cxba")).items()) == [("c", "3"), ("b", "2"), ("a", "1")]
    assert rows.asked == [["b"], ["c", "x", "a"]]


async def test_those_used_last_are_kept() -> None:
    rows = Rows(a="1", b="2", c="3")
    cache = Cache(rows.load, 2)
    for key in "abac":
        await cache.get(key)
    assert [cache.peek(key) for key in "abc"] == ["1", None, "3"]


async def test_who_asks_at_once_asks_once() -> None:
    rows = Rows(a="1")
    cache = Cache(rows.load, 10)
    assert await asyncio.gather(*(cache.get("a") for _ in range(5))) == ["1"] * 5
    assert rows.asked == [["a"]]


async def test_who_asks_for_many_is_told_of_each_what_it_was_when_they_asked() -> None:
    keys = [str(number) for number in range(50)]
    rows = Rows(**dict.fromkeys(keys, "old"))
    cache = Cache(rows.load, 100)
    rows.hold()
    before = asyncio.create_task(cache.get_all(keys))
    await asyncio.wait({before}, timeout=0.01)
    rows.values = dict.fromkeys(keys, "new")
    for key in keys[1:]:
        cache.forget(key)
    others = [asyncio.create_task(cache.get(key)) for key in keys[1:]]
    asking = asyncio.create_task(cache.get_all(keys))
    await asyncio.wait({asking}, timeout=0.01)
    rows.go_on.set()
    assert set((await before).values()) == {"old"}
    assert (await asking) == {"0": "old"} | dict.fromkeys(keys[1:], "new")
    assert await asyncio.gather(*others) == ["new"] * len(others)


async def test_who_waits_for_what_another_asked_for_gets_no_more_than_they_asked_for() -> None:
    rows = Rows(a="1", b="2", c="3")
    cache = Cache(rows.load, 10)
    both, one = await asyncio.gather(cache.get_all("ab"), cache.get_all("bc"))
    assert (both, one) == ({"a": "1", "b": "2"}, {"b": "2", "c": "3"})
    assert rows.asked == [["a", "b"], ["c"]]


async def test_what_was_forgotten_while_it_was_loaded_is_loaded_anew() -> None:
    rows = Rows(a="old", b="other")
    cache = Cache(rows.load, 10)
    rows.hold()
    before = asyncio.create_task(cache.get_all("ab"))
    await asyncio.sleep(0.01)
    rows.values["a"] = "new"
    cache.forget("a")
    after = asyncio.create_task(cache.get("a"))
    await asyncio.sleep(0.01)
    rows.go_on.set()
    assert (await before)["a"] == "old" and await after == "new"
    assert [cache.peek(key) for key in "ab"] == ["new", "other"]


async def test_a_load_that_fails_is_told_and_tried_again() -> None:
    async def fail(keys: Sequence[str]) -> dict[str, str]:
        raise TimeoutError

    cache = Cache(fail, 10)
    for _ in range(2):
        with pytest.raises(TimeoutError):
            await cache.get("a")


async def test_who_goes_takes_nobody_along() -> None:
    rows = Rows(a="1")
    cache = Cache(rows.load, 10)
    rows.hold()
    one, other = (asyncio.create_task(cache.get("a")) for _ in range(2))
    await asyncio.sleep(0.01)
    one.cancel()
    rows.go_on.set()
    assert await other == "1" and rows.asked == [["a"]]


async def test_a_group_is_forgotten_together() -> None:
    rows = Rows(a="x1", b="y2", c="x3")
    cache = GroupedCache(rows.load, 10, lambda value: value[0])
    await cache.get_all("abc")
    cache.forget_group("x")
    assert [cache.peek(key) for key in "abc"] == [None, "y2", None]
    cache.forget("b")
    cache.forget_group("y")
    assert len(cache) == 0 and not cache._members


async def test_a_group_is_forgotten_also_while_it_is_loaded() -> None:
    rows = Rows(a="x1")
    cache = GroupedCache(rows.load, 10, lambda value: value[0])
    rows.hold()
    before = asyncio.create_task(cache.get("a"))
    await asyncio.sleep(0.01)
    cache.forget_group("x")
    rows.go_on.set()
    await before
    assert cache.peek("a") is None


async def test_groups_of_what_was_dropped_are_dropped() -> None:
    rows = Rows(**{str(number): str(number) for number in range(100)})
    cache = GroupedCache(rows.load, 10, lambda value: value)
    for number in range(100):
        await cache.get(str(number))
    assert len(cache) == len(cache._members) == 10
