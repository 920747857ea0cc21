from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.requests import Request
from starlette.types import Message

from control.api.bodies import ARRIVAL, Bodies
from control.api.uploads import TooSlow
from tests.support.world import HandClock

pytestmark = pytest.mark.anyio


class Client:
    """Sends a body's pieces when it is told to."""

    def __init__(self) -> None:
        self._pieces: asyncio.Queue[Message] = asyncio.Queue()
        self.request = Request({"type": "http", "method": "POST", "headers": []}, self._pieces.get)

    def send(self, piece: bytes, more: bool = True) -> None:
        self._pieces.put_nowait({"type": "http.request", "body": piece, "more_body": more})


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def bodies(clock: HandClock) -> Bodies:
    return Bodies(clock)


async def reading(bodies: Bodies, client: Client) -> asyncio.Task[bytes]:
    task = asyncio.create_task(bodies.read(client.request))
    await asyncio.sleep(0)
    return task


async def result(task: asyncio.Task[Any]) -> object:
    return (await asyncio.gather(task, return_exceptions=True))[0]


async def test_a_body_that_comes_in_time_is_read(bodies: Bodies, clock: HandClock) -> None:
    client = Client()
    task = await reading(bodies, client)
    client.send(b"a")
    clock.advance(ARRIVAL - 0.1)
    await bodies.look()
    client.send(b"b", more=False)
    assert await result(task) == b"ab"
    assert not bodies._coming


async def test_one_that_does_not_is_given_up(bodies: Bodies, clock: HandClock) -> None:
    silent, dripping, late = Client(), Client(), Client()
    tasks = [await reading(bodies, silent), await reading(bodies, dripping)]
    dripping.send(b" ")
    clock.advance(1)
    tasks.append(await reading(bodies, late))
    clock.advance(ARRIVAL - 1)
    await bodies.look()
    late.send(b"c", more=False)
    first, second, third = [await result(task) for task in tasks]
    assert isinstance(first, TooSlow) and isinstance(second, TooSlow) and third == b"c"
    assert not bodies._coming


async def test_whose_last_piece_comes_as_it_is_given_up_is_given_up(bodies: Bodies, clock: HandClock) -> None:
    client = Client()
    task = await reading(bodies, client)
    clock.advance(ARRIVAL)
    client.send(b"a", more=False)
    await bodies.look()
    assert isinstance(await result(task), TooSlow)
    assert task.cancelling() == 0


async def test_a_request_that_is_cancelled_stays_cancelled(bodies: Bodies, clock: HandClock) -> None:
    tasks = [await reading(bodies, Client()) for _ in range(2)]
    tasks[0].cancel()
    clock.advance(ARRIVAL)
    await bodies.look()
    tasks[1].cancel()
    assert [isinstance(await result(task), asyncio.CancelledError) for task in tasks] == [True, True]
    assert not bodies._coming
