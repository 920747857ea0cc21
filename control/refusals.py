"""Every way we say no, by name. What number or text a client gets is decided per listener, in one place.

Refusal
├── BadParameter            a field is missing or of no use; names it
├── TooOften                more asked for than is given
│   └── TooManyGuesses      wrong ones, from there or at that
├── Muted                   in a room's chat, for a time
├── HungUp                  nobody waits for the answer any more
├── SessionExpired
├── NoSuchAccount, WrongPassword
├── Taken
│   └── AccountTaken, PhoneTaken, EmailTaken
├── NoSuchPhone
├── NoSuchRoom              no such id, or not the caller's
├── Orphaned                the user or the room it belongs to was deleted meanwhile
├── NoRoom                  the caller has none
├── BadRoomName, BadRoomPassword, EqualRoomPasswords
├── Banned                  from the room, for a time
├── BadPicture
├── NotSent                 a message did not go out; says why, without its text
└── Denied                  may not publish or play; says why, without a secret
    ├── GateShut
    └── WrongRoomPassword
"""

from __future__ import annotations


class Refusal(Exception):
    """A request that was understood and is answered with no."""


class BadParameter(Refusal):
    def __init__(self, field: str, hint: str = "") -> None:
        super().__init__(field, hint)
        self.field = field
        self.hint = hint


class TooOften(Refusal):
    pass


class TooManyGuesses(TooOften):
    pass


class Muted(Refusal):
    pass


class HungUp(Refusal):
    pass


class SessionExpired(Refusal):
    pass


class NoSuchAccount(Refusal):
    pass


class WrongPassword(Refusal):
    pass


class Taken(Refusal):
    pass


class AccountTaken(Taken):
    pass


class PhoneTaken(Taken):
    pass


class EmailTaken(Taken):
    pass


class NoSuchPhone(Refusal):
    pass


class NoSuchRoom(Refusal):
    pass


class Orphaned(Refusal):
    pass


class NoRoom(Refusal):
    pass


class BadRoomName(Refusal):
    pass


class BadRoomPassword(Refusal):
    pass


class EqualRoomPasswords(Refusal):
    pass


class Banned(Refusal):
    pass


class BadPicture(Refusal):
    pass


class NotSent(Refusal):
    pass


class Denied(Refusal):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class GateShut(Denied):
    def __init__(self) -> None:
        super().__init__("gate shut")


class WrongRoomPassword(Denied):
    pass
