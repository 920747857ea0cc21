from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from control.settings import Settings
from control.storage import migrate
from tests.support import world
from tests.support.world import Box, quick_settings


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Migrated once; each test begins with a copy."""
    path = tmp_path_factory.mktemp("database") / "qplus.db"
    migrate.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def settings(tmp_path: Path, empty_database: Path) -> Settings:
    shutil.copy(empty_database, tmp_path / "qplus.db")
    return quick_settings(tmp_path)


@pytest.fixture
async def box(settings: Settings) -> AsyncIterator[Box]:
    async with world.box(settings) as opened:
        yield opened
