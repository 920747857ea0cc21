from __future__ import annotations

import os
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.containers.stack import COMPOSE, TAG, Stack
from tests.e2e.conftest import ROOT


@pytest.fixture(scope="session")
def images() -> None:
    """Built from what is here. Without an engine nothing is tested; `make test-containers` calls that an error."""
    if subprocess.run(["docker", "info"], capture_output=True).returncode != 0:
        pytest.skip("no Docker engine answers")
    for file in ("docker/compose.yaml", "docker/compose.cluster.yaml"):
        env = os.environ | {"COMPOSE_FILE": file, "TAG": TAG}
        built = subprocess.run([*COMPOSE, "build"], cwd=ROOT, env=env, capture_output=True, text=True)
        assert built.returncode == 0, built.stdout + built.stderr


@pytest.fixture
async def stacks(images: None, tmp_path: Path) -> AsyncIterator[Callable[..., Stack]]:
    """Makes stacks, not started yet, from variables; each is ended whatever happens."""
    async with AsyncExitStack() as ending:

        def make(**variables: str) -> Stack:
            stack = Stack(tmp_path / "node", **variables)
            ending.push_async_callback(stack.end)
            return stack

        yield make


@pytest.fixture
async def stack(stacks: Callable[..., Stack]) -> Stack:
    """Up and ready."""
    made = stacks()
    await made.up()
    await made.ready()
    return made
