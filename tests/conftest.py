from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import structlog

from control.settings import Settings
from control.storage import migrate
from tests.e2e.stand_in import open_to_others
from tests.support import world
from tests.support.postgres import Postgres, served
from tests.support.world import Box, quick_settings

# With rich there, structlog draws a traceback with all that its frames hold, which takes seconds.
plain = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
structlog.configure(processors=[*structlog.get_config()["processors"][:-1], plain])


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Migrated once; each test begins with a copy."""
    path = tmp_path_factory.mktemp("database") / "qplus.db"
    migrate.upgrade(f"sqlite:///{path}")
    return path


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--engine", choices=["sqlite", "postgresql"], default="sqlite", help="what tests keep data in")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--engine") != "sqlite":
        items[:] = [item for item in items if item.get_closest_marker("sqlite") is None]


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    folder = tmp_path_factory.mktemp("postgres")
    open_to_others(folder)
    with served(folder / "server") as server:
        yield server


@pytest.fixture(scope="session")
def shared_database(postgres: Postgres) -> str:
    """Migrated once; each test begins with it empty."""
    url = postgres.made()
    migrate.upgrade(url)
    return url


@pytest.fixture
def empty_shared_database(postgres: Postgres, shared_database: str) -> str:
    """For a test of several nodes, whatever it is that others are tried over."""
    postgres.empty(shared_database)
    return shared_database


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path, empty_database: Path) -> str:
    """Of an empty database of this release; "" for SQLite's in the data folder."""
    if request.config.getoption("--engine") == "sqlite":
        shutil.copy(empty_database, tmp_path / "qplus.db")
        return ""
    url: str = request.getfixturevalue("shared_database")
    request.getfixturevalue("postgres").empty(url)
    return url


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    return replace(quick_settings(tmp_path), database_url=database_url)


@pytest.fixture
async def box(settings: Settings) -> AsyncIterator[Box]:
    async with world.box(settings) as opened:
        yield opened
