"""The body of an nginx-rtmp callback, read by position.

nginx writes its own fields first, in a fixed order for each call, and appends the client's arguments as they came,
which may repeat any of its keys. So the first fields are nginx's by their place, and the rest is the client's word.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from control.access.verdicts import Role

_CLIENT = ("app", "flashver", "swfurl", "tcurl", "pageurl", "addr")
_STREAM = (*_CLIENT, "clientid", "call")
_FIELDS = {
    "connect": (*_CLIENT, "epoch", "call"),
    "disconnect": (*_STREAM, "app"),
    "publish": (*_STREAM, "name", "type"),
    "play": (*_STREAM, "name", "start", "duration", "reset"),
    "update": (*_STREAM, "time", "timestamp", "name"),
    "publish_done": (*_STREAM, "name"),
    "play_done": (*_STREAM, "name"),
    "done": (*_STREAM, "name"),
    "record_done": (*_STREAM, "recorder", "name", "path"),
}
CALLS = frozenset(_FIELDS)
_LEFT_OUT = {"update", "publish_done", "play_done", "done"}  # these omit `name` where it is empty
NEEDED = ("flashver", "addr", "clientid", "call", "timestamp", "name")
LONGEST_NUMBER = 20  # digits, of 64 bits


class BadForm(ValueError):
    """Not a body that nginx-rtmp writes; the message has none of its values."""


class Callback(NamedTuple):
    call: str
    """As nginx names it: `update_publish` and `update_play` for an update."""
    client: int
    """nginx's number of the connection; 0 for `connect`, which has none."""
    address: str
    encoder: str
    name: str
    """The stream's. Where that is empty, an update or an end leaves it out, and a client's argument can stand there."""
    timestamp: int
    """Milliseconds, of the last media; 0 in all calls but updates."""
    arguments: bytes
    """The client's, as it sent them."""

    @property
    def is_relay(self) -> bool:
        """nginx's own pull or push: it writes the whole address of the other side there, and clients cannot."""
        return "/" in self.address

    @property
    def publishes(self) -> bool:
        return self.call in ("publish", "update_publish")

    @property
    def role(self) -> Role:
        """Of a client, which is no relay."""
        return Role.PUBLISHER if self.publishes else Role.PLAYER

    @property
    def begins(self) -> bool:
        return self.call in ("publish", "play")

    @property
    def password(self) -> str:
        """What the client showed, "" for nothing."""
        return self.argument("pwd")

    @property
    def ticket(self) -> str:
        """Likewise."""
        return self.argument("ticket")

    @property
    def relay(self) -> str:
        """Likewise: what another nginx of the node was told to show."""
        return self.argument("relay") if b"relay" in self.arguments else ""

    def argument(self, key: str) -> str:
        """The first value the client gave for a key, "" if none."""
        for pair in self.arguments.split(b"&"):
            name, _, value = pair.partition(b"=")
            if _text(name) == key:
                return _text(value)
        return ""


def _form(call: str) -> re.Pattern[bytes]:
    """A body's, which has the groups of NEEDED."""
    names, needed, fields = _FIELDS[call], list(NEEDED), list[str]()
    for name in names:
        fields.append(f"{name}=(?P<{name}>[^&]*)" if name in needed else f"{name}=[^&]*")
        needed = [each for each in needed if each != name]
    last = f"(?:&{fields.pop()})?" if call in _LEFT_OUT else ""
    missing = "".join(f"(?P<{name}>(?!))?" for name in needed)
    return re.compile(f"{missing}{'&'.join(fields)}{last}(?:&(?P<arguments>.*))?".encode(), re.DOTALL)


_FORMS = {call: _form(call) for call in CALLS}


def parse(call: str, body: bytes) -> Callback:
    """`call` is one of CALLS. Raises BadForm."""
    found = _FORMS[call].fullmatch(body)
    if found is None:
        missing = body.count(b"&") + 1 + (call in _LEFT_OUT) < len(_FIELDS[call])
        raise BadForm(f"{call}: fields are missing" if missing else f"{call}: a field is not in its place")
    call, encoder, address, name = map(_text, found.group("call", "flashver", "addr", "name"))
    client, timestamp = map(_number, found.group("clientid", "timestamp"))
    return Callback(call, client, address, encoder, name, timestamp, found["arguments"] or b"")


def _text(value: bytes | None) -> str:
    if not value:
        return ""
    return (unquote_to_bytes(value) if b"%" in value else value).decode("utf-8", "replace")


def _number(value: bytes | None) -> int:
    if value is None:
        return 0
    if not (value.isdigit() and len(value) <= LONGEST_NUMBER):
        raise BadForm("a number is none")
    return int(value)
