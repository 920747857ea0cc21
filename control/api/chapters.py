"""What is said of one API, and the chapters of the manual."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from control.api import replies
from control.api.envelope import Api
from control.api.statuses import Status


@dataclass(frozen=True, slots=True)
class Definition:
    chapter: str
    """Of the manual."""
    api: Api[Any]
    about: str
    replies: tuple[type[replies.Reply], ...]
    """To what is done; one of these."""
    refusals: tuple[Status, ...]
    """Beside SERVER_ERROR and PARAM_ERROR, which each may answer."""


ACCOUNTS, OWN_ROOM, WATCHERS, CHAT, OTHERS, NOTICES, PROGRAMS = (
    "Accounts",
    "The own room",
    "Who watches, and who may not",
    "Chat",
    "Rooms of others",
    "Notices",
    "What happened, for programs",
)
