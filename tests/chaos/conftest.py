from __future__ import annotations

from tests.e2e.conftest import node, options

__all__ = ["node", "options"]
