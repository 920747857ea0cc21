from __future__ import annotations

import asyncio
from functools import partial
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from control.ops.pace import Pace, PacedProtocol
from tests.support.serving import serving, until

pytestmark = pytest.mark.anyio
MOST = 2


@pytest.fixture(params=[True, False], ids=["uvloop", "asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    return "asyncio", {"use_uvloop": request.param}


class Begun:
    """Notes what has begun."""

    def __init__(self) -> None:
        self.order: list[int] = []
        self.pace = Pace(MOST)

    def ask(self, *numbers: int) -> None:
        for number in numbers:
            self.pace.begin(partial(self.order.append, number))


async def turns(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def test_few_begin_at_once() -> None:
    begun = Begun()
    begun.ask(*range(MOST))
    assert begun.order == list(range(MOST))


async def test_of_many_so_many_begin_in_a_turn_and_others_come_between() -> None:
    begun, between = Begun(), list[int]()
    begun.ask(*range(5 * MOST))
    while len(begun.order) < 5 * MOST:
        between.append(len(begun.order))
        await turns(1)
    assert begun.order == list(range(5 * MOST))
    assert max(after - before for before, after in pairwise(between)) <= MOST
    assert len(between) >= 4


async def test_who_comes_later_begins_later() -> None:
    begun = Begun()
    begun.ask(*range(3 * MOST))
    await turns(1)
    begun.ask(99)
    await turns(5)
    assert begun.order == [*range(3 * MOST), 99]


async def test_requests_of_many_connections_are_all_answered_also_of_who_has_gone(tmp_path: Path) -> None:
    begun, path = list[str](), tmp_path / "socket"

    async def answer(request: Request) -> PlainTextResponse:
        begun.append(request.url.path)
        return PlainTextResponse(request.url.path)

    app = Starlette(routes=[Route("/{number}", answer)])
    transport = httpx.AsyncHTTPTransport(uds=str(path))
    async with (
        serving(path, app, partial(PacedProtocol, Pace(MOST))),
        httpx.AsyncClient(transport=transport, base_url="http://control") as client,
    ):
        _, writer = await asyncio.open_unix_connection(str(path))
        writer.writelines([b"GET /gone HTTP/1.1\r\nHost: control\r\n\r\n"] * MOST * 5)
        await writer.drain()
        writer.close()
        answers = await asyncio.gather(*(client.get(f"/{number}") for number in range(10 * MOST)))
        await until(lambda: len(begun) >= len(answers))
    assert [answer.text for answer in answers] == [f"/{number}" for number in range(10 * MOST)]
