"""Asks the control that runs in the data folder."""

from __future__ import annotations

from typing import Any

from control.cli.failures import Failed
from control.operators import order_socket
from control.settings import Settings


def ask(settings: Settings, order: str, **given: Any) -> dict[str, Any]:
    """Raises Failed."""
    try:
        return order_socket.asked(settings.run_dir, order, given)
    except order_socket.NotAnswered as failure:
        raise Failed(str(failure)) from None
