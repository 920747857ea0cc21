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

    def argument(self, key: str) -> str:
        """The first value the client gave for a key, "" if none."""
        for pair in self.arguments.split(b"&"):
            name, _, value = pair.partition(b"=")
            if unquote_to_bytes(name) == key.encode():
                return unquote_to_bytes(value).decode("utf-8", "replace")
        return ""


def parse(call: str, body: bytes) -> Callback:
    """`call` is one of CALLS. Raises BadForm."""
    names = list(_FIELDS[call])
    parts = body.split(b"&")
    if call in _LEFT_OUT and not _begins_with(parts[len(names) - 1 : len(names)], "name"):
        names.pop()
    values = {}
    for name, part in zip(names, parts, strict=False):
        if not _begins_with([part], name):
            break
        values[name] = unquote_to_bytes(part.partition(b"=")[2]).decode("utf-8", "replace")
    if len(values) < len(set(names)):
        raise BadForm(f"{call}: fields are missing")
    return Callback(
        call=values["call"],
        client=_number(values.get("clientid", "0")),
        address=values["addr"],
        encoder=values["flashver"],
        name=values.get("name", ""),
        timestamp=_number(values.get("timestamp", "0")),
        arguments=b"&".join(parts[len(names) :]),
    )


def _begins_with(parts: list[bytes], name: str) -> bool:
    return bool(parts) and parts[0].partition(b"=")[0] == name.encode()


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER):
        raise BadForm("a number is none")
    return int(text)
