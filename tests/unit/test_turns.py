from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from control.api.turns import OF_NETWORK, OF_SESSION, Turns

pytestmark = pytest.mark.anyio


@pytest.fixture
def turns() -> Turns:
    return Turns()


async def let_in(turns: Turns, stack: AsyncExitStack, session: str, address: str) -> bool:
    """Whether a request has its turn at once; it keeps that."""
    task = asyncio.create_task(stack.enter_async_context(turns.turn(session, address)))
    await asyncio.wait([task], timeout=0.02)
    if not task.done():
        task.cancel()
        await asyncio.wait([task])
    return not task.cancelled()


async def test_one_login_has_a_few_and_another_has_its_own(turns: Turns) -> None:
    async with AsyncExitStack() as stack:
        for number in range(OF_SESSION):
            assert await let_in(turns, stack, "ann", f"192.0.2.{number}")
        assert not await let_in(turns, stack, "ann", "192.0.2.99")
        assert await let_in(turns, stack, "bob", "192.0.2.99")


async def test_one_network_has_some_and_another_has_its_own(turns: Turns) -> None:
    async with AsyncExitStack() as stack:
        for number in range(OF_NETWORK):
            assert await let_in(turns, stack, f"session {number}", f"2001:db8:1:2::{number:x}")
        assert not await let_in(turns, stack, "another", "2001:db8:1:2:ffff::1")
        assert await let_in(turns, stack, "another", "2001:db8:1:3::1")


async def test_who_waits_comes_in_the_order_of_coming(turns: Turns) -> None:
    came: list[int] = []

    async def come(number: int) -> None:
        async with turns.turn("ann", "192.0.2.7"):
            came.append(number)
            await asyncio.sleep(0)

    await asyncio.gather(*(come(number) for number in range(20)))
    assert came == list(range(20))


async def test_who_logs_in_waits_in_no_line(turns: Turns) -> None:
    async with AsyncExitStack() as stack:
        assert all([await let_in(turns, stack, "", "192.0.2.7") for _ in range(100)])


async def test_what_is_over_is_forgotten(turns: Turns) -> None:
    for number in range(100):
        async with turns.turn(f"session {number}", f"192.0.2.{number}"):
            pass
    assert not turns._lines and not turns._waiting


async def test_who_gives_up_waiting_takes_nobodys_turn(turns: Turns) -> None:
    async def come() -> None:
        async with turns.turn("ann", "192.0.2.7"):
            pass

    async with AsyncExitStack() as stack:
        for _ in range(OF_SESSION):
            assert await let_in(turns, stack, "ann", "192.0.2.7")
        waiting = [asyncio.create_task(come()) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        waiting[1].cancel()
        await asyncio.sleep(0)
    assert await asyncio.gather(*waiting, return_exceptions=True) != [None] * 3
    assert not waiting[2].cancelled()
    assert not turns._lines and not turns._waiting


async def test_a_turn_that_came_as_one_gave_up_goes_to_the_next(turns: Turns) -> None:
    came: list[int] = []

    async def come(number: int) -> None:
        async with turns.turn("ann", f"192.0.2.{number}"):
            came.append(number)

    held = AsyncExitStack()
    for _ in range(OF_SESSION):
        assert await let_in(turns, held, "ann", "192.0.2.7")
    waiting = [asyncio.create_task(come(number)) for number in range(2)]
    await asyncio.sleep(0)
    await held.aclose()
    waiting[0].cancel()
    await asyncio.wait(waiting)
    assert waiting[0].cancelled() and came == [1]
    assert not turns._lines and not turns._waiting
