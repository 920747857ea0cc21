from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator

import pytest
import structlog

from control.settings import Settings
from control.storage.database import Store, opened
from tests.support.stage import Stage, staged
from tests.support.world import Box, HandClock


@pytest.fixture(autouse=True)
def own_logs() -> Iterator[None]:
    """What a test has written to, as a command configures it, is not for the next one in the same process."""
    before, handlers = structlog.get_config(), logging.root.handlers[:]
    yield
    if structlog.get_config() != before:
        structlog.configure(**before)
        logging.root.handlers[:] = handlers


@pytest.fixture
async def stage(box: Box) -> Stage:
    return await staged(box)


@pytest.fixture
async def store(settings: Settings) -> AsyncIterator[Store]:
    async with opened(settings.database, HandClock()) as lent:
        yield lent
