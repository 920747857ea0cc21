from __future__ import annotations

import asyncio

import pytest

from control.accounts.line import Line
from control.refusals import TooOften

pytestmark = pytest.mark.anyio


class Work:
    """Pieces of work in a line of one, each of which lasts until it is let go."""

    def __init__(self, longest: int = 100) -> None:
        self.line = Line(1, longest)
        self.begun: list[str] = []
        self._over = asyncio.Event()

    async def do(self, address: str, known: bool = False) -> None:
        async with self.line.turn(address, known):
            self.begun.append(address)
            await self._over.wait()

    async def asked(self, *addresses: str, known: bool = False) -> list[asyncio.Task[None]]:
        tasks = [asyncio.create_task(self.do(address, known)) for address in addresses]
        await asyncio.sleep(0)
        return tasks

    async def finish(self, tasks: list[asyncio.Task[None]]) -> list[BaseException | None]:
        self._over.set()
        return await asyncio.gather(*tasks, return_exceptions=True)


async def test_addresses_take_turns_however_many_of_one_wait() -> None:
    work = Work()
    tasks = await work.asked("storm", "storm", "storm", "storm", "ann", "bob", "storm")
    await work.finish(tasks)
    assert work.begun == ["storm", "storm", "ann", "bob", "storm", "storm", "storm"]


async def test_known_addresses_have_every_other_turn() -> None:
    work = Work()
    tasks = await work.asked("a", *(f"stranger {number}" for number in range(4)))
    tasks += await work.asked("ann", "bob", known=True)
    await work.finish(tasks)
    assert work.begun == ["a", "ann", "stranger 0", "bob", "stranger 1", "stranger 2", "stranger 3"]


async def test_in_a_full_line_the_address_with_the_most_gives_way() -> None:
    work = Work(longest=4)
    tasks = await work.asked("storm", "storm", "storm", "storm", "ann", "bob", "cid")
    refused = [isinstance(end, TooOften) for end in await work.finish(tasks)]
    assert refused == [False, False, True, True, False, False, False]
    assert len(work.line) == 0


async def test_in_a_full_line_of_strangers_a_stranger_is_refused_and_one_who_is_known_is_not() -> None:
    work = Work(longest=3)
    tasks = await work.asked("a", "b", "c", "d", "e")
    tasks += await work.asked("ann", "bob", known=True)
    refused = [isinstance(end, TooOften) for end in await work.finish(tasks)]
    assert sum(refused[1:4]) == 2 and refused[4:] == [True, False, False]
    assert work.begun[:2] == ["a", "ann"]


async def test_in_a_full_line_of_known_ones_they_are_fair_among_each_other() -> None:
    work = Work(longest=3)
    tasks = await work.asked("a", "ann", "ann", "ann", "bob", "ann", known=True)
    tasks += await work.asked("stranger")
    refused = [isinstance(end, TooOften) for end in await work.finish(tasks)]
    assert refused == [False, False, False, True, False, True, True]


async def test_in_a_full_line_the_storm_itself_is_refused() -> None:
    work = Work(longest=2)
    tasks = await work.asked("storm", "storm", "storm", "storm")
    assert [isinstance(end, TooOften) for end in await work.finish(tasks)] == [False, False, False, True]


async def test_one_who_goes_leaves_the_line() -> None:
    work = Work()
    first, second, third = await work.asked("a", "b", "c")
    second.cancel()
    await asyncio.wait([second])
    assert len(work.line) == 1
    await work.finish([first, third])
    assert work.begun == ["a", "c"]


async def test_a_turn_that_comes_to_one_who_goes_is_the_nexts() -> None:
    work = Work()
    first, second, third = await work.asked("a", "b", "c")
    first.cancel()
    await asyncio.sleep(0)  # the turn is on its way to the second
    second.cancel()
    await asyncio.wait([first, second])
    await work.finish([third])
    assert work.begun == ["a", "c"]
    async with work.line.turn("d"):
        assert len(work.line) == 0
