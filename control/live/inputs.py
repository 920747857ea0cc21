"""What decides who is here, told as it comes: for whoever keeps it, to say afterwards what was believed, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from control.live.presence import Session


class Inputs(Protocol):
    def note(self, event: str, session: Session) -> None:
        """A session changed, and is now as it is after `event`."""

    def note_viewer(self, event: str, room_id: int, user_id: int, address: str) -> None:
        """A viewer over HLS came, or went."""

    def note_refusal(self, call: str, room_id: int, address: str, reason: str) -> None:
        """nginx was told not to let somebody in, or to put them out."""


class Unkept:
    """Keeps nothing."""

    def note(self, event: str, session: Session) -> None:
        pass

    def note_viewer(self, event: str, room_id: int, user_id: int, address: str) -> None:
        pass

    def note_refusal(self, call: str, room_id: int, address: str, reason: str) -> None:
        pass
