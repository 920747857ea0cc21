"""The states of a session, what moves it from one to another, and why it ends: the whole life of one in a table."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, StrEnum


class State(Enum):
    ADMITTED = "admitted"
    """Let in. A player stays so; a publisher until its first media."""
    LIVE = "live"
    """A publisher whose media has been seen."""
    ENDING = "ending"
    """To go: nginx has been told to drop it, or its next update is denied."""
    OVER = "over"
    """Gone, and no longer held."""


class Event(Enum):
    MEDIA = "media"
    """A publisher's timestamp moved."""
    CONDEMNED = "condemned"
    """Its right has ended, or it gives way to another."""
    SPARED = "spared"
    """A publisher that was silent could not be dropped, so it may be heard again."""
    SPARED_BEFORE_MEDIA = "spared before media"
    ENDED = "ended"
    """nginx told of its end, shows it no more, or has been out of hearing for a lease."""


MOVES: Mapping[tuple[State, Event], State] = {
    (State.ADMITTED, Event.MEDIA): State.LIVE,
    (State.ADMITTED, Event.CONDEMNED): State.ENDING,
    (State.ADMITTED, Event.ENDED): State.OVER,
    (State.LIVE, Event.MEDIA): State.LIVE,
    (State.LIVE, Event.CONDEMNED): State.ENDING,
    (State.LIVE, Event.ENDED): State.OVER,
    (State.ENDING, Event.MEDIA): State.ENDING,
    (State.ENDING, Event.CONDEMNED): State.ENDING,
    (State.ENDING, Event.SPARED): State.LIVE,
    (State.ENDING, Event.SPARED_BEFORE_MEDIA): State.ADMITTED,
    (State.ENDING, Event.ENDED): State.OVER,
}


class Ending(StrEnum):
    """Why a publisher is here no more."""

    LEFT = "left"
    """It went, or its connection broke."""
    SILENT = "silent"
    """Its link was dead: the connection stood, and nothing came any more."""
    GATE = "gate"
    """The room's owner ended the stream."""
    PASSWORD = "password"
    """It was let in by a password that is no longer the room's."""
    LIMIT = "limit"
    """It was more than its room may have."""
    LOST = "lost"
    """nginx, control or the machine went down with it, and it was not there afterwards."""
