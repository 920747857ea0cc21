"""What may be written in a room's chat: the form of a message, and what the room's owner wants of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from control.accounts.identity import folded, has_controls
from control.refusals import BadParameter

LONGEST = 200  # characters of a message
LONGEST_WORD, MOST_WORDS = 32, 100
SLOWEST = 120  # seconds that an owner may ask for between two messages of one user


@dataclass(frozen=True, slots=True)
class Rules:
    """Of one room."""

    slow_seconds: int = 0
    """Between two messages of one user. 0: no more than everywhere."""
    muted_words: tuple[str, ...] = ()
    """Folded. A message with one in it is refused."""

    def mutes(self, text: str) -> bool:
        return bool(self.muted_words) and any(map(folded(text).__contains__, self.muted_words))


def message_text(text: str) -> str:
    """Without blanks around it. Raises BadParameter unless there is something, no more than LONGEST, in one line."""
    stripped = text.strip() if len(text) <= 2 * LONGEST else ""
    if not 0 < len(stripped) <= LONGEST or has_controls(stripped):
        raise BadParameter("text")
    return stripped


def slow_seconds(seconds: int) -> int:
    """Raises BadParameter unless it is one that an owner may ask for."""
    if not 0 <= seconds <= SLOWEST:
        raise BadParameter("slowSeconds")
    return seconds


def muted_words(words: Iterable[str]) -> tuple[str, ...]:
    """Folded, each once, without blank ones. Raises BadParameter where there are too many, or one is too long."""
    found: dict[str, None] = {}
    for word in words:
        stripped = word.strip() if len(word) <= 2 * LONGEST_WORD else None
        if stripped is None or len(stripped) > LONGEST_WORD or has_controls(stripped):
            raise BadParameter("mutedWords")
        if stripped:
            found[folded(stripped)] = None
    if len(found) > MOST_WORDS:
        raise BadParameter("mutedWords")
    return tuple(found)
