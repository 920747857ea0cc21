"""RTMP's chunk stream: messages cut into chunks and back (RTMP specification 1.0, section 5.3)."""

import contextlib
from typing import Literal, NamedTuple

# Message types (5.4, 7.1).
SET_CHUNK_SIZE, ABORT, ACKNOWLEDGEMENT, USER_CONTROL, WINDOW_SIZE, PEER_BANDWIDTH = 1, 2, 3, 4, 5, 6
AUDIO, VIDEO, DATA, COMMAND = 8, 9, 18, 20

DEFAULT_SIZE = 128
_EXTENDED = 0xFFFFFF
_WRAP = 0xFFFFFFFF


class Message(NamedTuple):
    """One RTMP message; the timestamp is in milliseconds and wraps at 2^32."""

    type: int
    timestamp: int
    body: bytes
    stream: int = 0


class _Header(NamedTuple):
    """What the next chunk of the same chunk stream may inherit (5.3.1.2)."""

    timestamp: int
    delta: int
    length: int
    type: int
    stream: int
    extended: bool
    full: bool
    """Whether it came with a whole timestamp (fmt 0), not a delta."""


class Writer:
    """Cuts messages into chunks, with the shortest header that the specification allows."""

    def __init__(self) -> None:
        self.chunk_size = DEFAULT_SIZE
        self._last: dict[int, _Header] = {}

    def encode(self, message: Message, chunk_stream: int) -> bytes:
        """The chunks of one message on a chunk stream (2-65599). A Set Chunk Size holds from the next one on."""
        fmt, header = self._header(message, self._last.get(chunk_stream))
        self._last[chunk_stream] = header
        stamp = _stamp(header)
        parts = [_basic(fmt, chunk_stream), _fields(fmt, header), stamp]
        for start in range(0, len(message.body), self.chunk_size):
            if start:
                parts += [_basic(3, chunk_stream), stamp]
            parts.append(message.body[start : start + self.chunk_size])
        if message.type == SET_CHUNK_SIZE:
            self.chunk_size = int.from_bytes(message.body[:4], "big")
        return b"".join(parts)

    def _header(self, message: Message, last: _Header | None) -> tuple[int, _Header]:
        length = len(message.body)
        if last is None or last.stream != message.stream or message.timestamp < last.timestamp:
            extended = message.timestamp >= _EXTENDED
            stamp = message.timestamp
            return 0, _Header(stamp, stamp, length, message.type, message.stream, extended, full=True)
        delta = message.timestamp - last.timestamp
        extended = delta >= _EXTENDED
        header = _Header(message.timestamp, delta, length, message.type, message.stream, extended, full=False)
        if (last.length, last.type) != (length, message.type):
            return 1, header
        # nginx-rtmp reads fmt 3 after fmt 0 as a delta of 0 where 5.3.1.2.4 says the timestamp: fmt 2 is safe.
        return (2 if last.full or last.delta != delta else 3), header


def _basic(fmt: int, chunk_stream: int) -> bytes:
    if chunk_stream < 64:
        return bytes([fmt << 6 | chunk_stream])
    if chunk_stream < 320:
        return bytes([fmt << 6, chunk_stream - 64])
    return bytes([fmt << 6 | 1]) + (chunk_stream - 64).to_bytes(2, "little")


def _fields(fmt: int, header: _Header) -> bytes:
    raw = min(header.delta, _EXTENDED).to_bytes(3, "big")
    raw += header.length.to_bytes(3, "big") + bytes([header.type]) + header.stream.to_bytes(4, "little")
    return raw[: (11, 7, 3, 0)[fmt]]


def _stamp(header: _Header) -> bytes:
    """The extended timestamp, which every chunk of the message repeats (5.3.1.3)."""
    return header.delta.to_bytes(4, "big") if header.extended else b""


class _Partial:
    """A chunk stream: its last header, and the message so far."""

    def __init__(self) -> None:
        self.header = _Header(0, 0, 0, 0, 0, extended=False, full=True)
        self.body = bytearray()


class _Short(Exception):
    """The buffer ends inside a chunk."""


class _Cursor:
    def __init__(self, data: bytearray) -> None:
        self.data = data
        self.at = 0

    def take(self, size: int) -> bytearray:
        end = self.at + size
        if end > len(self.data):
            raise _Short
        taken = self.data[self.at : end]
        self.at = end
        return taken

    def number(self, size: int, order: Literal["big", "little"] = "big") -> int:
        return int.from_bytes(self.take(size), order)


class Reader:
    """Puts messages together from bytes as they come; obeys Set Chunk Size and Abort itself.

    Timestamps follow the specification; nginx-rtmp, which sends fmt 3 for "the same time again", may drift.
    """

    def __init__(self) -> None:
        self.chunk_size = DEFAULT_SIZE
        self._buffer = bytearray()
        self._partials: dict[int, _Partial] = {}

    def feed(self, data: bytes) -> list[Message]:
        """The messages that these bytes complete. Raises ValueError when a message starts inside another."""
        self._buffer += data
        cursor = _Cursor(self._buffer)
        messages = []
        whole = 0
        with contextlib.suppress(_Short):
            while whole < len(self._buffer):
                if message := self._chunk(cursor):
                    self._obey(message)
                    messages.append(message)
                whole = cursor.at
        del self._buffer[:whole]
        return messages

    def _chunk(self, cursor: _Cursor) -> Message | None:
        first = cursor.take(1)[0]
        fmt, chunk_stream = first >> 6, first & 63
        if chunk_stream < 2:
            chunk_stream = 64 + cursor.number(chunk_stream + 1, "little")
        partial = self._partials.setdefault(chunk_stream, _Partial())
        header = _read_header(cursor, fmt, partial)
        payload = cursor.take(min(self.chunk_size, header.length - len(partial.body)))
        partial.header = header
        partial.body += payload
        if len(partial.body) < header.length:
            return None
        body, partial.body = bytes(partial.body), bytearray()
        return Message(header.type, header.timestamp, body, header.stream)

    def _obey(self, message: Message) -> None:
        value = int.from_bytes(message.body[:4], "big")
        if message.type == SET_CHUNK_SIZE:
            self.chunk_size = max(1, value & 0x7FFFFFFF)
        elif message.type == ABORT and value in self._partials:
            self._partials[value].body.clear()


def _read_header(cursor: _Cursor, fmt: int, partial: _Partial) -> _Header:
    last = partial.header
    if fmt == 3:
        if last.extended:
            cursor.take(4)
        delta = 0 if partial.body else last.delta
        return last._replace(timestamp=last.timestamp + delta & _WRAP)
    if partial.body:
        raise ValueError("a message starts inside another on one chunk stream")
    delta = cursor.number(3)
    length, kind = (cursor.number(3), cursor.number(1)) if fmt < 2 else (last.length, last.type)
    stream = cursor.number(4, "little") if fmt == 0 else last.stream
    extended = delta == _EXTENDED
    if extended:
        delta = cursor.number(4)
    base = last.timestamp if fmt else 0
    return _Header(base + delta & _WRAP, delta, length, kind, stream, extended, full=fmt == 0)
