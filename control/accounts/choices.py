"""Which passwords an account may have: none that is tried first."""

from __future__ import annotations

from pathlib import Path

from control.accounts.identity import folded
from control.refusals import BadParameter

SHORTEST, LONGEST = 6, 128  # characters
TOO_EASY = "密码过于简单"
COMMON = Path(__file__).with_name("common_passwords.txt")
"""The ten thousand most common ones of six characters and more, a line each."""


class Choices:
    def __init__(self) -> None:
        self._common = frozenset(COMMON.read_text().split())

    def checked(self, password: str, *names: str | None) -> str:
        """The password. Raises BadParameter unless it has 6 to 128 characters and is none of the most common ones and
        none of its user's names; case does not count."""
        if not SHORTEST <= len(password) <= LONGEST:
            raise BadParameter("password")
        key = folded(password)
        if key in self._common or key in {folded(name) for name in names if name}:
            raise BadParameter("password", TOO_EASY)
        return password
