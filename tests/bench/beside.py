"""Rows of joins while the API is busy: one process answers both."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

from control.settings import Settings
from tests.bench.figures import Row, Taken, order, paired, percentile, values
from tests.bench.http import Ask, load
from tests.bench.joins import NONE, Target
from tests.bench.load import arriving
from tests.bench.processes import FRONT, started
from tests.bench.product import Product

JOINS = 200.0  # a second, evenly: what waits is not made longer by who waits behind it
CONNECTIONS = 32  # that ask the API, each again at once
LOGINS_A_SECOND = 50  # of a user that is there
ACCOUNT, PASSWORD = "user1", "secret-1"
BEFORE = 0.5  # seconds of load before the first join
AFTER = 0.5  # seconds for what the load has left behind

HASHES: dict[str, Any] = {each.name: each.default for each in fields(Settings) if each.name.startswith("argon2_")}
"""Settings of a node whose logins cost what they do by default."""

ALONE = "alone"
ASKED, LOGINS = f"while {CONNECTIONS} ask the API", f"during {LOGINS_A_SECOND} logins/s"

Beside = AbstractAsyncContextManager[None]
Load = Callable[[float], Beside]
"""Something else to do for so many seconds."""


async def beside_rows(folder: Path, made: Product, none: int, repetitions: int, number: int) -> list[Row]:
    """Of a node with HASHES. What the API's load costs nginx that asks nobody, on port `none`, is the machine's."""
    names = [room.play for room in made.rooms]
    ours, others = Target(made.node.settings.rtmp_port, names), Target(none, names)

    def asking(seconds: float) -> Beside:
        return _asking(folder, made, seconds)

    def logging_in(_: float) -> Beside:
        return _logging_in(made)

    variants: dict[str, tuple[Target, Load]] = {
        ALONE: (ours, _nothing),
        ASKED: (ours, asking),
        LOGINS: (ours, logging_in),
        f"{NONE}, {ALONE}": (others, _nothing),
        f"{NONE}, {ASKED}": (others, asking),
    }
    taken = [
        {name: Taken(await _p99(*variants[name], number)) for name in order(list(variants), repetition)}
        for repetition in range(repetitions)
    ]
    return [
        Row(f"join p99, {JOINS:.0f} a second, {ALONE}", values(taken, ALONE), "ms"),
        Row(f"join p99 {ASKED} over {ALONE}", paired(taken, ASKED, ALONE), most=4, aim=1.5),
        Row(f"join p99 {ASKED} over {ALONE}: {NONE}", paired(taken, f"{NONE}, {ASKED}", f"{NONE}, {ALONE}")),
        Row(f"join p99 {LOGINS} over {ALONE}", paired(taken, LOGINS, ALONE), most=2, aim=1.2),
    ]


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
async def _logging_in(made: Product) -> AsyncIterator[None]:
    told = [str(made.node.settings.http_port), str(LOGINS_A_SECOND), ACCOUNT, PASSWORD]
    with started([sys.executable, "-m", "tests.bench.logins", *told], FRONT):
        yield
