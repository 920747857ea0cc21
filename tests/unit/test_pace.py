from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from control.ops.pace import Pace

pytestmark = pytest.mark.anyio
MOST = 2


@pytest.fixture(params=[True, False], ids=["uvloop", "asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    return "asyncio", {"use_uvloop": request.param}


class Application:
    """Notes which requests have begun."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.paced = Pace(self, MOST)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.begun.append(scope["number"])

    def ask(self, number: int) -> asyncio.Task[None]:
        nothing: Any = None
        return asyncio.ensure_future(self.paced({"number": number}, nothing, nothing))


async def turns(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def test_few_begin_at_once() -> None:
    app = Application()
    requests = [app.ask(number) for number in range(MOST)]
    await turns(1)
    assert app.begun == list(range(MOST))
    await asyncio.gather(*requests)


async def test_of_many_so_many_begin_in_a_turn_and_others_come_between() -> None:
    app, between = Application(), list[int]()
    requests = [app.ask(number) for number in range(5 * MOST)]

    async def another() -> None:
        while not all(request.done() for request in requests):
            between.append(len(app.begun))
            await asyncio.sleep(0)

    await another()
    await asyncio.gather(*requests)
    assert app.begun == list(range(5 * MOST))
    assert max(after - before for before, after in pairwise(between)) <= MOST
    assert len(between) >= 5


async def test_who_comes_later_begins_later() -> None:
    app = Application()
    requests = [app.ask(number) for number in range(3 * MOST)]
    await turns(2)
    requests.append(app.ask(99))
    await asyncio.gather(*requests)
    assert app.begun[-1] == 99


async def test_who_gives_up_takes_nobodys_place() -> None:
    app = Application()
    requests = [app.ask(number) for number in range(3 * MOST)]
    await turns(1)
    for request in requests[MOST : 2 * MOST]:
        request.cancel()
    await asyncio.gather(*requests, return_exceptions=True)
    assert app.begun == [*range(MOST), *range(2 * MOST, 3 * MOST)]
    last = app.ask(7)
    await last
    assert app.begun[-1] == 7
