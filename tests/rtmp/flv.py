"""Media for the client: FLV tags from a file, or made here (Adobe, FLV File Format 10.1, annex E)."""

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from . import amf
from .chunks import AUDIO, DATA, VIDEO

_SIDE = 4  # Macroblocks of 16 pixels, across and down.
_AUDIO_RATE = 44100
_AUDIO_FRAME = 1024

_AAC = b"\xaf"  # E.4.2.1: AAC; the other bits are fixed for it.
_AAC_CONFIG = b"\x12\x08"  # ISO 14496-3 1.6.2.1: low complexity, 44100 Hz, one channel.
_AAC_SILENCE = b"\x00\x00\x00\x07"  # 4.4.2.1: a channel without scale factor bands, then the end.


class Tag(NamedTuple):
    """One FLV tag: message type, milliseconds, body. Its body is that of the RTMP message."""

    type: int
    timestamp: int
    body: bytes


def tags_from(path: Path) -> list[Tag]:
    """The tags of an FLV file, e.g. one that ffmpeg made."""
    data = path.read_bytes()
    if data[:3] != b"FLV":
        raise ValueError(f"{path} is no FLV file")
    tags = []
    at = int.from_bytes(data[5:9], "big") + 4
    while at < len(data):
        kind, size, low, high = struct.unpack(">B3s3sB", data[at : at + 8])
        length = int.from_bytes(size, "big")
        timestamp = high << 24 | int.from_bytes(low, "big")
        tags.append(Tag(kind & 31, timestamp, data[at + 11 : at + 11 + length]))
        at += 11 + length + 4
    return tags


def endless(tags: Sequence[Tag]) -> Iterator[Tag]:
    """The tags over and over, later each time by their length; the headers come again with each round."""
    if not tags:
        return
    times = sorted({tag.timestamp for tag in tags})
    step = times[-1] - times[-2] if len(times) > 1 else 40
    shift = 0
    while True:
        for tag in tags:
            yield tag._replace(timestamp=tag.timestamp + shift)
        shift += times[-1] - times[0] + step


def still(fps: int = 25, padding: int = 0) -> Iterator[Tag]:
    """An endless grey picture of 64x64 with silence: real H.264 and AAC, a key frame each second.

    `padding` adds that many bytes to each picture, to reach a bit rate.
    """
    yield Tag(DATA, 0, amf.encode("@setDataFrame", "onMetaData", _metadata(fps)))
    yield Tag(VIDEO, 0, b"\x17\x00\x00\x00\x00" + _avc_config())
    yield Tag(AUDIO, 0, _AAC + b"\x00" + _AAC_CONFIG)
    heard = 0
    seen = 0
    while True:
        yield Tag(VIDEO, seen * 1000 // fps, _picture(seen, fps, padding))
        seen += 1
        while heard * _AUDIO_FRAME * fps < seen * _AUDIO_RATE:
            yield Tag(AUDIO, heard * _AUDIO_FRAME * 1000 // _AUDIO_RATE, _AAC + b"\x01" + _AAC_SILENCE)
            heard += 1


def _metadata(fps: int) -> amf.Array:
    side = _SIDE * 16.0
    return amf.Array(width=side, height=side, framerate=float(fps), videocodecid=7.0, audiocodecid=10.0)


def _avc_config() -> bytes:
    """AVCDecoderConfigurationRecord (ISO 14496-15, 5.2.4.1) with NAL lengths of four bytes."""
    sequence, picture = _sequence_parameters(), _picture_parameters()
    record = b"\x01" + sequence[1:4] + b"\xff\xe1" + len(sequence).to_bytes(2, "big") + sequence
    return record + b"\x01" + len(picture).to_bytes(2, "big") + picture


def _picture(number: int, fps: int, padding: int) -> bytes:
    group, index = divmod(number, fps)
    slice_ = _skipped_slice(index) if index else _grey_slice(group)
    filler = [b"\x0c" + b"\xff" * padding + b"\x80"] if padding else []
    units = b"".join(len(unit).to_bytes(4, "big") + unit for unit in [slice_, *filler])
    return (b"\x27" if index else b"\x17") + b"\x01\x00\x00\x00" + units


# Below: ITU-T H.264, 7.3. `_ue` is an Exp-Golomb code (9.1); se(0) is the same bit as ue(0).


def _sequence_parameters() -> bytes:
    """Baseline, level 1.0; frame numbers of four bits; order count type 2; one reference frame; no cropping or VUI."""
    head = _ue(0) + _ue(0) + _ue(2) + _ue(1) + "0"
    return b"\x67\x42\xc0\x0a" + _pack(head + _ue(_SIDE - 1) + _ue(_SIDE - 1) + "1" + "1" + "0" + "0")


def _picture_parameters() -> bytes:
    return b"\x68" + _pack(_ue(0) * 2 + "00" + _ue(0) * 3 + "000" + _ue(0) * 3 + "000")


def _grey_slice(group: int) -> bytes:
    """An IDR picture of Intra 16x16 macroblocks, predicted from nothing (so grey) and without residual."""
    head = _ue(0) + _ue(7) + _ue(0) + "0000" + _ue(group % 2) + "00" + _ue(0)
    macroblock = _ue(3) + _ue(0) + _ue(0) + "1"
    return b"\x65" + _pack(head + macroblock * _SIDE**2)


def _skipped_slice(index: int) -> bytes:
    """A P picture that skips every macroblock: the last picture again."""
    return b"\x41" + _pack(_ue(0) + _ue(5) + _ue(0) + f"{index % 16:04b}" + "000" + _ue(0) + _ue(_SIDE**2))


def _ue(value: int) -> str:
    code = f"{value + 1:b}"
    return "0" * (len(code) - 1) + code


def _pack(bits: str) -> bytes:
    """The bits with the stop bit, filled up to whole bytes. None of ours needs emulation prevention (7.4.1)."""
    bits += "1"
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")
