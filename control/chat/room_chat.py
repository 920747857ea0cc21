"""A room's chat in memory: the newest messages of its current broadcast, its rules, and who may not write."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice

from control.chat.rules import Rules
from control.clock import Epoch

KEPT = 200  # messages
FEW = 50  # messages that may be in the database beside them


@dataclass(frozen=True, slots=True)
class Message:
    number: int
    """From 1 up in each room, and never given again."""
    user_id: int
    nick_name: str
    """As it was when this was written."""
    text: str
    """"" once it is deleted."""
    at: Epoch
    deleted: bool = False


@dataclass(slots=True, eq=False)
class RoomChat:
    room_id: int
    broadcast_ms: int = 0
    """The start of the broadcast that the messages are of, in milliseconds since the epoch; 0: there was none yet."""
    last_number: int = 0
    """Of all messages ever."""
    rules: Rules = field(default_factory=Rules)
    muted_until: dict[int, Epoch] = field(default_factory=dict)
    """By user; some may be over."""
    messages: deque[Message] = field(default_factory=lambda: deque(maxlen=KEPT))
    """Their numbers have no gaps. The oldest first."""
    stored_from: int = 1
    """No message below this number is in the database."""
    pins: int = 0
    """Who is at work on it: while there is anybody it stays in memory."""

    @property
    def first_number(self) -> int:
        """Of the oldest message that is kept; of the next one where none is."""
        return self.messages[0].number if self.messages else self.last_number + 1

    @property
    def stores_outdated(self) -> bool:
        """There are messages in the database that are kept no more, enough to be deleted together."""
        return self.first_number - self.stored_from >= (FEW if self.messages else 1)

    def after(self, number: int, most: int) -> Sequence[Message]:
        """The oldest ones behind that number."""
        start = max(0, number + 1 - self.first_number)
        return list(islice(self.messages, start, start + most))

    def newest(self, most: int) -> Sequence[Message]:
        return self.after(self.last_number - most, most)

    def find(self, number: int) -> Message | None:
        return next(iter(self.after(number - 1, 1)), None) if number >= self.first_number else None

    def append(self, message: Message) -> None:
        self.messages.append(message)
        self.last_number = message.number

    def put(self, message: Message) -> None:
        """In the place of the one of its number, which is there."""
        self.messages[message.number - self.first_number] = message

    def become(self, other: RoomChat) -> None:
        """All but who is at work on it."""
        self.broadcast_ms, self.last_number, self.rules = other.broadcast_ms, other.last_number, other.rules
        self.muted_until, self.messages, self.stored_from = other.muted_until, other.messages, other.stored_from

    def begin(self, broadcast_ms: int) -> None:
        """A broadcast, to which none of the messages belongs."""
        self.broadcast_ms = broadcast_ms
        self.messages.clear()

    def forget_mutes(self, now: Epoch) -> None:
        """Those that are over."""
        self.muted_until = {user_id: until for user_id, until in self.muted_until.items() if until > now}

    def muted(self, user_id: int, now: Epoch) -> float:
        """Seconds for which the user may not write; 0 for none."""
        return max(0.0, self.muted_until.get(user_id, 0.0) - now)
