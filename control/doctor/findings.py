"""What a look at a node found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from control.settings import Settings

TIMEOUT = 2.0  # seconds that whatever is asked may take to answer


class Grade(StrEnum):
    GOOD = "good"
    ODD = "odd"
    """It works, and may not be what was meant."""
    FAULT = "fault"
    LEFT_OUT = "left out"
    """It could not be looked at; the finding tells why."""


@dataclass(frozen=True, slots=True)
class Finding:
    grade: Grade
    what: str
    mend: str = ""
    """What a person can do about it."""


def good(what: str) -> Finding:
    return Finding(Grade.GOOD, what)


def odd(what: str, mend: str) -> Finding:
    return Finding(Grade.ODD, what, mend)


def fault(what: str, mend: str) -> Finding:
    return Finding(Grade.FAULT, what, mend)


def left_out(why: str) -> Finding:
    return Finding(Grade.LEFT_OUT, why)


Check = Callable[[Settings], Iterator[Finding]]
"""Looks at one part of a node. Blocks."""
