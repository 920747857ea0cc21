from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from control.settings import Settings
from control.storage.database import Store, opened
from tests.support.stage import Stage, staged
from tests.support.world import Box, HandClock


@pytest.fixture
async def stage(box: Box) -> Stage:
    return await staged(box)


@pytest.fixture
async def store(settings: Settings) -> AsyncIterator[Store]:
    async with opened(settings.database, HandClock()) as lent:
        yield lent
