"""A little of `make fuzz`, the same each time; what it once found stays here as a case."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import Node
from tests.fuzz import rtmp

pytestmark = pytest.mark.anyio


async def test_random_connections_harm_nobody(node: Node) -> None:
    connections, let_in = await rtmp.run(node, seconds=0, seed=20_000, least=1000)
    assert connections == 1000 and let_in > 20
