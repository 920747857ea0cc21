from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace

import pytest

from control.nginx_rtmp import takeover
from control.settings import Settings
from control.storage.database import Store, opened
from tests.support.stage import Stage, staged
from tests.support.world import Box, HandClock


@pytest.fixture
async def stage(box: Box) -> Stage:
    return await staged(box)


@pytest.fixture
async def store(settings: Settings) -> AsyncIterator[Store]:
    async with opened(settings.database) as lent:
        yield lent


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> Callable[[HandClock, Callable[[], object]], None]:
    """Lets the clock move and something happen whenever a takeover sleeps between two looks at a publisher."""

    def arrange(clock: HandClock, happens: Callable[[], object] = lambda: None) -> None:
        async def pause(seconds: float) -> None:
            clock.advance(seconds)
            result = happens()
            await (result if inspect.isawaitable(result) else asyncio.sleep(0))

        monkeypatch.setattr(takeover, "asyncio", SimpleNamespace(sleep=pause))

    return arrange
