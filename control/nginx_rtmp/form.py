"""The body of an nginx-rtmp callback, read by position.

nginx writes its own fields first, in a fixed order for each call, and appends the client's arguments as they came,
which may repeat any of its keys. So the first fields are nginx's by their place, and the rest is the client's word.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

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
_PREFIXES = {call: tuple((name, f"{name}=".encode()) for name in names) for call, names in _FIELDS.items()}
CALLS = frozenset(_FIELDS)
_LEFT_OUT = {"update", "publish_done", "play_done", "done"}  # these omit `name` where it is empty
LONGEST_NUMBER = 20  # digits, of 64 bits


class BadForm(ValueError):
    """Not a body that nginx-rtmp writes; the message has none of its values."""


@dataclass(frozen=True, slots=True)
class Callback:
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
    def password(self) -> str:
        """What the client showed, "" for nothing."""
        return self.argument("pwd")

    @property
    def ticket(self) -> str:
        """Likewise."""
        return self.argument("ticket")

    def argument(self, key: str) -> str:
        """The first value the client gave for a key, "" if none."""
        for pair in self.arguments.split(b"&"):
            name, _, value = pair.partition(b"=")
            if _text(name) == key:
                return _text(value)
        return ""


def parse(call: str, body: bytes) -> Callback:
    """`call` is one of CALLS. Raises BadForm."""
    fields, parts = _PREFIXES[call], body.split(b"&")
    if call in _LEFT_OUT and not any(part.startswith(b"name=") for part in parts[len(fields) - 1 : len(fields)]):
        fields = fields[:-1]
    if len(parts) < len(fields):
        raise BadForm(f"{call}: fields are missing")
    values = {}
    for (name, prefix), part in zip(fields, parts, strict=False):
        if not part.startswith(prefix):
            raise BadForm(f"{call}: {name} is not in its place")
        values[name] = part[len(prefix) :]
    return Callback(
        call=_text(values["call"]),
        client=_number(values.get("clientid", b"0")),
        address=_text(values["addr"]),
        encoder=_text(values["flashver"]),
        name=_text(values.get("name", b"")),
        timestamp=_number(values.get("timestamp", b"0")),
        arguments=b"&".join(parts[len(fields) :]),
    )


def _text(value: bytes) -> str:
    return (unquote_to_bytes(value) if b"%" in value else value).decode("utf-8", "replace")


def _number(value: bytes) -> int:
    if not (value.isdigit() and len(value) <= LONGEST_NUMBER):
        raise BadForm("a number is none")
    return int(value)
