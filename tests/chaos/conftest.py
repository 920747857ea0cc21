from __future__ import annotations

from typing import Any

import pytest

from tests.chaos.scenes import UPDATE
from tests.e2e.conftest import node

__all__ = ["node"]


@pytest.fixture
def options() -> dict[str, Any]:
    """What hangs on updates is soon seen."""
    return {"update_seconds": UPDATE}
