"""Why a command did not do its work."""

from __future__ import annotations


class Failed(Exception):
    """The message tells a person why, and what to do."""


class Misused(Failed):
    """The words on the command line do not go together."""
