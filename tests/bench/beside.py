"""Rows of joins while the API is busy: one process answers both."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

from control.settings import Settings
from tests.bench.figures import Row, Taken, order, paired, percentile, values
from tests.bench.http import Ask, load
from tests.bench.joins import NONE, PRODUCT, Target
from tests.bench.load import arriving
from tests.bench.processes import FRONT, started
from tests.bench.product import Product

JOINS = 200.0  # a second, evenly: what waits is not made longer by who waits behind it
CONNECTIONS = 32  # that ask the API, each again at once
LOGINS = 50  # a second, of a user that is there
ACCOUNT, PASSWORD = "user1", "secret-1"
BEFORE = 0.5  # seconds of load before the first join
AFTER = 1.0  # seconds for what the load has left behind

HASHES: dict[str, Any] = {each.name: each.default for each in fields(Settings) if each.name.startswith("argon2_")}
"""Settings of a node whose logins cost what they do by default."""

Load = Callable[[float], AbstractAsyncContextManager[None]]
"""Something else to do for so many seconds."""


async def beside_rows(folder: Path, made: Product, none: int, repetitions: int, number: int) -> list[Row]:
    """Of a node with HASHES, and of nginx that asks nobody, on port `none`: what the load costs it is the machine's."""
    names = [room.play for room in made.rooms]
    targets = {PRODUCT: Target(made.node.settings.rtmp_port, names), NONE: Target(none, names)}
    loads: dict[str, Load] = {
        "alone": _nothing,
        f"while {CONNECTIONS} ask the API": lambda seconds: _asking(folder, made, seconds),
        f"during {LOGINS} logins/s": lambda seconds: _logging_in(made, seconds),
    }
    alone, asking, logging_in = loads
    wanted = {asking: 4.0, logging_in: 2.0}
    taken = {name: await _taken(target, loads, repetitions, number) for name, target in targets.items()}
    return [
        Row("join p99, 200 a second alone", values(taken[PRODUCT], alone), "ms"),
        *(
            Row(
                f"join p99 {load} over alone: {name}",
                paired(taken[name], load, alone),
                most=most if name == PRODUCT else None,
            )
            for load, most in wanted.items()
            for name in targets
        ),
    ]


async def _taken(target: Target, loads: Mapping[str, Load], repetitions: int, number: int) -> list[dict[str, Taken]]:
    taken = []
    for repetition in range(repetitions):
        turns = order(list(loads), repetition)
        taken.append({name: Taken(await _p99(target, loads[name], number)) for name in turns})
    return taken


async def _p99(target: Target, beside: Load, number: int) -> float:
    """Milliseconds."""
    async with beside(number / JOINS + 2 * BEFORE):
        await asyncio.sleep(BEFORE)
        players, seconds = await arriving(target.port, target.words, number, JOINS)
    for player in players:
        player.close()
    await asyncio.sleep(AFTER)
    return percentile(seconds, 0.99) * 1000


@asynccontextmanager
async def _nothing(seconds: float) -> AsyncIterator[None]:
    yield


@asynccontextmanager
async def _asking(folder: Path, made: Product, seconds: float) -> AsyncIterator[None]:
    """Reads of rooms and of the list, in turns."""
    asked: list[tuple[str, dict[str, Any]]] = [
        ("GetMyLiveRoom", {}),
        ("GetLiveRoomList", {"type": 1, "refresh": 1, "count": 20}),
    ]
    requests = [
        (f"/live/{name}", json.dumps({"sessionId": room.session} | more)) for room in made.rooms for name, more in asked
    ]
    asking = asyncio.create_task(load(folder, Ask(made.node.settings.http_port, requests), seconds, CONNECTIONS))
    yield
    await asking


@asynccontextmanager
async def _logging_in(made: Product, seconds: float) -> AsyncIterator[None]:
    told = [str(made.node.settings.http_port), str(LOGINS), ACCOUNT, PASSWORD]
    with started([sys.executable, "-m", "tests.bench.logins", *told], FRONT):
        yield
