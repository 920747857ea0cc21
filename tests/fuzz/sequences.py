"""What a client might say over RTMP, by chance: proper dialogues, bent and broken."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from tests.rtmp import amf
from tests.rtmp.chunks import AUDIO, COMMAND, DATA, SET_CHUNK_SIZE, USER_CONTROL, VIDEO, Message, Writer

NAMES = ["connect", "createStream", "releaseStream", "FCPublish", "publish", "play", "PLAY", "play2", "seek", "pause"]
NAMES += ["pauseraw", "closeStream", "deleteStream", "onMetaData", "@setDataFrame", "_result", "onStatus", "", "\x00"]
NAMES += ["é" * 40]
TYPES = [*range(24), 64, 127, 128, 255]
SIZES = [0, 1, 2, 127, 128, 129, 4096, 65536, 1 << 20, (1 << 20) + 1, 1 << 24, 1 << 31, (1 << 32) - 1]
LONGEST = 1 << 16  # bytes of a body


@dataclass(frozen=True)
class Rooms:
    """Names with passwords: of a room that is open to this client, one that is not, and some that are none."""

    push: str
    play: str
    wrong: str

    def any(self, chance: random.Random) -> str:
        if chance.random() < 0.6:
            return chance.choice([self.push, self.play])
        names = [self.wrong, "", "1", "../x", "9" * 300, "1?pwd=" + "x" * 300, "?name=1", "%00"]
        return chance.choice(names)


def value(chance: random.Random, depth: int = 0) -> amf.Value:
    """Any AMF0 value."""
    kinds: list[Callable[[], amf.Value]] = [
        lambda: None,
        lambda: chance.choice([True, False]),
        lambda: chance.choice([0.0, -1.0, -2000.0, 1e308, float("nan"), float("inf")]),
        lambda: chance.randbytes(chance.choice([0, 1, 30, 300, 3000])),
        lambda: chance.choice(["live", "", "rtmp://h/live", "x" * 255, "x" * 65535]),
    ]
    if depth < 5:
        kinds.append(lambda: {str(n): value(chance, depth + 1) for n in range(chance.randrange(4))})
        kinds.append(lambda: amf.Array({"a": value(chance, depth + 1)}))
    return chance.choice(kinds)()


def dialogue(chance: random.Random, rooms: Rooms) -> list[Message]:
    """What a publisher or a player says until it may expect an answer, with here and there another thing."""
    connect: amf.Value = {"app": "live", "flashVer": "x", "tcUrl": "rtmp://h/live"}
    ask = chance.choice(["publish", "play"])
    said = [
        Message(SET_CHUNK_SIZE, 0, (4096).to_bytes(4, "big")),
        Message(COMMAND, 0, amf.encode("connect", 1, connect if chance.random() < 0.9 else value(chance))),
        Message(COMMAND, 0, amf.encode("createStream", 2, None)),
        Message(COMMAND, 0, amf.encode(ask, 3, None, rooms.any(chance), "live" if ask == "publish" else -2.0), 1),
    ]
    for _ in range(chance.choice([0, 0, 1, 3])):
        said.insert(chance.randrange(len(said) + 1), message(chance, rooms))
    if chance.random() < 0.1:
        said.pop(chance.randrange(len(said)))
    return said


def message(chance: random.Random, rooms: Rooms) -> Message:
    usual = [COMMAND, COMMAND, COMMAND, DATA, AUDIO, VIDEO, USER_CONTROL, SET_CHUNK_SIZE]
    kind = chance.choice([*usual, chance.choice(TYPES)])
    stream = chance.choice([0, 1, 1, 2, 1 << 31])
    if kind in (COMMAND, DATA):
        values = [value(chance) for _ in range(chance.randrange(4))]
        if chance.random() < 0.4:
            values.append(rooms.any(chance))
        body = amf.encode(chance.choice(NAMES), chance.choice([0, 1, -1.0]), *values)
    elif kind == SET_CHUNK_SIZE:
        body = chance.choice(SIZES).to_bytes(4, "big")[: chance.choice([4, 4, 4, 3, 0])]
    else:
        body = chance.randbytes(chance.choice([0, 1, 2, 6, 10, 100, 5000]))
    if chance.random() < 0.05:
        body = body[: chance.randrange(len(body) + 1)]
    return Message(kind, chance.choice([0, 1, 40, 0xFFFFFF, 0x1000000, (1 << 32) - 1]), body[:LONGEST], stream)


def wire(chance: random.Random, rooms: Rooms) -> list[bytes]:
    """A connection's bytes behind the greeting: what it says at once, and what after an answer."""
    writer = Writer()
    parts = [dialogue(chance, rooms), [message(chance, rooms) for _ in range(chance.choice([0, 1, 5, 20]))]]
    return [_bytes(chance, writer, part) for part in parts]


def _bytes(chance: random.Random, writer: Writer, said: list[Message]) -> bytes:
    data = bytearray()
    for each in said:
        usual = {SET_CHUNK_SIZE: 2, COMMAND: 3, AUDIO: 4, DATA: 5, VIDEO: 6}.get(each.type, 7)
        odd = chance.choice([2, 3, 31, 32, 63, 64, 320])
        data += writer.encode(each, odd if chance.random() < 0.05 else usual)
        if each.type == SET_CHUNK_SIZE and not 1 <= writer.chunk_size <= 1 << 20:
            writer.chunk_size = 128  # or what follows would be no chunks at all
    for _ in range(chance.choice([0, 0, 0, 0, 0, 1, 3, 20])):
        bend(chance, data)
    return bytes(data)


def bend(chance: random.Random, data: bytearray) -> None:
    if not data:
        return
    at = chance.randrange(len(data))
    match chance.randrange(4):
        case 0:
            data[at] = chance.randrange(256)
        case 1:
            del data[at : at + chance.randrange(1, 20)]
        case 2:
            data[at:at] = chance.randbytes(chance.randrange(1, 20))
        case 3:
            data[at:at] = data[: chance.randrange(200)]
