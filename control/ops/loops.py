"""What goes on in the background for as long as control runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger()


async def repeat(name: str, next_turn: Callable[[], Awaitable[object]], work: Callable[[], Awaitable[object]]) -> None:
    """Until cancelled. A failure is logged and the next turn taken: nothing else does this work."""
    while True:
        await next_turn()
        await once(name, work)


async def once(name: str, work: Callable[[], Awaitable[object]]) -> None:
    """A failure is logged, and no more."""
    try:
        await finished(work())
    except Exception:
        log.exception("background work failed", work=name)


async def finished(work: Awaitable[object]) -> None:
    """Lets a piece of work come to its end before a cancellation takes effect: one cut off in the middle of a
    transaction would leave its connection there."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        if not task.cancelled() and (failure := task.exception()):
            log.error("background work failed at its end", exc_info=failure)
        raise
