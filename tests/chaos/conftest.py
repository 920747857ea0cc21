from __future__ import annotations

from tests.e2e.conftest import node

__all__ = ["node"]
