"""AMF0, the value encoding of RTMP commands (Adobe, Action Message Format AMF 0, December 2007)."""

import struct
from collections.abc import Mapping
from enum import IntEnum
from typing import TypeAlias

Value: TypeAlias = "bool | float | str | bytes | Mapping[str, Value] | None"

_END = b"\x00\x00\x09"


class Marker(IntEnum):
    """The byte before each value (2.1)."""

    NUMBER = 0
    BOOLEAN = 1
    STRING = 2
    OBJECT = 3
    NULL = 5
    UNDEFINED = 6
    ECMA_ARRAY = 8


class Array(dict[str, Value]):
    """An ECMA array: an object that says how many keys it has (2.10)."""


def encode(*values: Value) -> bytes:
    """The values one after another, as a command carries them. `bytes` go out as a string, as they are."""
    return b"".join(map(_encode, values))


def decode(data: bytes) -> list[Value]:
    """All values of a command. Strings that are not UTF-8 keep their bytes as surrogates.

    Raises ValueError when the data ends early or holds a type that RTMP commands do not use.
    """
    reader = _Reader(data)
    values = []
    while reader.at < len(data):
        values.append(reader.value())
    return values


def _encode(value: Value) -> bytes:
    match value:
        case None:
            return bytes([Marker.NULL])
        case bool():
            return bytes([Marker.BOOLEAN, value])
        case int() | float():
            return struct.pack(">Bd", Marker.NUMBER, value)
        case str() | bytes():
            return bytes([Marker.STRING]) + _text(value)
        case Array():
            return struct.pack(">BI", Marker.ECMA_ARRAY, len(value)) + _pairs(value)
        case _:
            return bytes([Marker.OBJECT]) + _pairs(value)


def _pairs(value: Mapping[str, Value]) -> bytes:
    return b"".join(_text(key) + _encode(item) for key, item in value.items()) + _END


def _text(value: str | bytes) -> bytes:
    raw = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
    if len(raw) > 0xFFFF:
        raise ValueError("an AMF0 string holds at most 65535 bytes")
    return len(raw).to_bytes(2, "big") + raw


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def value(self) -> Value:
        match self._take(1)[0]:
            case Marker.NUMBER:
                return float(struct.unpack(">d", self._take(8))[0])
            case Marker.BOOLEAN:
                return self._take(1) != b"\x00"
            case Marker.STRING:
                return self._text()
            case Marker.OBJECT:
                return self._pairs()
            case Marker.NULL | Marker.UNDEFINED:
                return None
            case Marker.ECMA_ARRAY:
                self._take(4)  # The count is only a hint (2.10); the end marker decides.
                return Array(self._pairs())
            case kind:
                raise ValueError(f"AMF0 type {kind} is not known here")

    def _pairs(self) -> dict[str, Value]:
        pairs: dict[str, Value] = {}
        while not self.data.startswith(_END, self.at):
            key = self._text()
            pairs[key] = self.value()
        self._take(len(_END))
        return pairs

    def _text(self) -> str:
        return self._take(int.from_bytes(self._take(2), "big")).decode("utf-8", "surrogateescape")

    def _take(self, size: int) -> bytes:
        taken = self.data[self.at : self.at + size]
        if len(taken) < size:
            raise ValueError("AMF0 data ends early")
        self.at += size
        return taken
