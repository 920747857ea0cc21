"""What goes on, for whoever takes down why something came about."""

from __future__ import annotations

from contextvars import ContextVar

because: ContextVar[str] = ContextVar("because", default="")
"""A callback of nginx's, a look at it, an API. Of the task that asks, and of those that it begins."""
