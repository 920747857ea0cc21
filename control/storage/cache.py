"""What is read often, in memory: a bounded part of what the database has."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar, cast

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Cache(Generic[K, V]):
    """`load` asks the database for what is missing, in one query, and leaves out what is not there; `most` are kept,
    those used last.

    Who changes a row forgets it here after the commit and before the caller is answered. What was being loaded
    meanwhile may be from before: those who asked for it then have it, and nobody who asks later.
    """

    def __init__(self, load: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]], most: int) -> None:
        self._load = load
        self._most = most
        self._kept: OrderedDict[K, V] = OrderedDict()
        self._loading: dict[K, asyncio.Task[Mapping[K, V]]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def peek(self, key: K) -> V | None:
        """None where it is not in memory, which does not say that there is none."""
        value = self._kept.get(key)
        if value is not None:
            self._kept.move_to_end(key)
        return value

    async def get(self, key: K) -> V | None:
        """None where there is none. Raises what `load` does."""
        value = self.peek(key)
        return value if value is not None else (await self._missing([key])).get(key)

    async def get_all(self, keys: Iterable[K]) -> dict[K, V]:
        """Those that are there, in the order of the keys. At most one query."""
        kept, found, missing = self._kept, dict[K, V | None](), list[K]()
        for key in keys:
            value = found[key] = kept.get(key)
            if value is None:
                missing.append(key)
            else:
                kept.move_to_end(key)
        if not missing:
            return cast(dict[K, V], found)
        loaded = await self._missing(missing)
        values = ((key, value if value is not None else loaded.get(key)) for key, value in found.items())
        return {key: value for key, value in values if value is not None}

    def forget(self, key: K) -> None:
        self._kept.pop(key, None)
        self._loading.pop(key, None)

    def clear(self) -> None:
        self._kept.clear()
        self._loading.clear()

    async def _missing(self, keys: list[K]) -> dict[K, V]:
        """Who asks for what is being loaded waits for that."""
        fresh = [key for key in keys if key not in self._loading]
        if fresh:
            task = asyncio.create_task(self._loaded(fresh))
            self._loading |= dict.fromkeys(fresh, task)
        tasks = {key: self._loading[key] for key in keys}
        loaded = {task: await asyncio.shield(task) for task in set(tasks.values())}
        # Of each key what its own task found: another may have begun with it before it was forgotten.
        return {key: loaded[task][key] for key, task in tasks.items() if key in loaded[task]}

    async def _loaded(self, keys: list[K]) -> Mapping[K, V]:
        mine = asyncio.current_task()
        try:
            found = await self._load(keys)
            for key, value in found.items():
                if self._loading.get(key) is mine:
                    self._keep(key, value)
            return found
        finally:
            for key in keys:
                if self._loading.get(key) is mine:
                    del self._loading[key]

    def _keep(self, key: K, value: V) -> None:
        self._kept[key] = value
        if len(self._kept) > self._most:
            self._dropped(*self._kept.popitem(last=False))

    def _dropped(self, key: K, value: V) -> None:
        """It is not in memory any more."""


class GroupedCache(Cache[K, V]):
    """In which all of one group can be forgotten at once. `group` tells a value's."""

    def __init__(
        self, load: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]], most: int, group: Callable[[V], Any]
    ) -> None:
        super().__init__(load, most)
        self._group = group
        self._members: defaultdict[Any, set[K]] = defaultdict(set)

    def forget(self, key: K) -> None:
        value = self._kept.get(key)
        super().forget(key)
        if value is not None:
            self._dropped(key, value)

    def forget_group(self, group: Any) -> None:
        self._loading.clear()  # of which group they are is not known yet
        for key in self._members.pop(group, ()):
            del self._kept[key]

    def clear(self) -> None:
        super().clear()
        self._members.clear()

    def _keep(self, key: K, value: V) -> None:
        self._members[self._group(value)].add(key)
        super()._keep(key, value)

    def _dropped(self, key: K, value: V) -> None:
        members = self._members[self._group(value)]
        members.discard(key)
        if not members:
            del self._members[self._group(value)]
