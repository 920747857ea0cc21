"""Why a node cannot run."""

from __future__ import annotations


class StartError(Exception):
    """Something outside the program is in the way; the message tells a person what, and what to do."""
