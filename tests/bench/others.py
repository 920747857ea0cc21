"""Rows of what a user would pick instead: its joins, over those of nginx-rtmp that asks nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from tests.bench.figures import Row, cpu, paired
from tests.bench.joins import NONE, Target, compared
from tests.bench.load import Failed, join

NOTICED = 0.5  # seconds in which a peer that lets in before it checks has put out whom it would not have


class Unfair(Exception):
    """A peer that does not do what it is compared in: let in by password, and nobody else."""


async def require_verdicts(name: str, target: Target) -> None:
    """Raises Unfair."""
    strangers = replace(target, rooms=[f"{room[:-1]}~" for room in target.rooms])
    if not await _stays(target) or await _stays(strangers):
        raise Unfair(f"{name} does not tell right from wrong passwords")


async def _stays(target: Target) -> bool:
    try:
        player, _ = await join(target.port, target.words[0])
    except Failed:
        return False
    await asyncio.sleep(NOTICED)
    player.close()
    return not player.lost


async def other_rows(targets: Mapping[str, Target], repetitions: int, number: int) -> list[Row]:
    many = await compared(targets, repetitions, number, 32)
    single = await compared(targets, repetitions, max(50, number // 5), 1)
    names = [name for name in targets if name != NONE]
    kinds = (
        ("joins/s, 32 at a time", many["rate"]),
        ("join p50, 32 at a time", many["p50"]),
        ("join p99, 32 at a time", many["p99"]),
        ("join p50, 1 at a time", single["p50"]),
    )
    return [
        Row(f"{kind}, over no callback: {name}", paired(taken, name, NONE), cpu=cpu(taken, name))
        for kind, taken in kinds
        for name in names
    ]
