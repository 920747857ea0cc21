"""Why a command did not do its work."""

from __future__ import annotations


class Failed(Exception):
    """The message tells a person why, and what to do."""
