"""A room's three passwords. They travel in URLs and are read back by their owner: they are kept sealed, not hashed."""

from __future__ import annotations

import re
from dataclasses import dataclass

from control.entropy import Entropy
from control.refusals import BadRoomPassword, EqualRoomPasswords

SAFE = re.compile(r"[A-Za-z0-9._~-]{4,64}")


@dataclass(frozen=True, slots=True)
class RoomPasswords:
    """To push, to assist, to watch. Raises BadRoomPassword, or EqualRoomPasswords if two are the same."""

    anchor: str
    assist: str
    user: str

    def __post_init__(self) -> None:
        if not all(SAFE.fullmatch(each) for each in (self.anchor, self.assist, self.user)):
            raise BadRoomPassword
        if len({self.anchor, self.assist, self.user}) < 3:
            raise EqualRoomPasswords


def chosen_or_issued(anchor: str, assist: str, user: str, entropy: Entropy) -> RoomPasswords:
    """Issues each that is empty."""
    return RoomPasswords(anchor or entropy.secret(), assist or entropy.secret(), user or entropy.secret())
