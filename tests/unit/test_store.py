from __future__ import annotations

import asyncio

import pytest

from control.settings import Settings
from control.storage.database import Store, opened
from tests.support.world import HandClock

pytestmark = pytest.mark.anyio


async def test_writers_take_turns_in_the_order_they_came(store: Store) -> None:
    order: list[str] = []

    async def write(*names: str) -> None:
        for name in names:
            async with store.writing():
                order.append(name)
                await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        for names in [("a", "d", "f"), ("b", "e"), ("c",)]:
            group.create_task(write(*names))
    assert order == ["a", "b", "c", "d", "e", "f"]


async def test_one_who_gives_up_waiting_holds_up_nobody(store: Store) -> None:
    async with store.writing():
        waiting = [asyncio.create_task(store.write()) for _ in range(3)]
        await asyncio.sleep(0)
        for task in waiting[:2]:
            task.cancel()
    await asyncio.wait_for(waiting[2], 5)
    await asyncio.wait_for(store.write(), 5)


@pytest.mark.sqlite
async def test_a_new_database_can_be_opened_by_several_at_once(settings: Settings) -> None:
    async def use() -> None:
        async with opened(settings.database, HandClock()) as store:
            await store.write()

    await asyncio.gather(*(use() for _ in range(10)))
