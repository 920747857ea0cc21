"""`ingest.alert`: what is wrong with what a publisher sends, each time that this has changed. The studio's page shows
the same, by the same measures (web/static/publisher.js)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from control.clock import Clock
from control.live.presence import Presence, Session
from control.live.samples import Samples
from control.live.stream_info import StreamInfo
from control.storage.room_events import EventKind, Gathering

EVERY = 10.0  # seconds between two looks, of which two must find the same
SETTLED = 15.0  # seconds that a publisher has sent for, after which what has not come will not come by itself
FAR_APART = 4.0  # seconds between key frames from which on viewers wait long for a picture
FEW = 6  # samples from which on it is known what is usual
LATEST = 2  # samples, a mean of which is what comes now
FELL = 0.5  # of the usual bitrate, below which it has fallen
PLAYED = ("", "H264")  # video that browsers play; "": none has come
HEARD = ("", "AAC", "MP3")
AT_A_TIME = 200  # rooms that are looked at before others have their turn
_FRAGMENT = re.compile(r"#EXTINF:([\d.]+)")

Faults = tuple[str, ...]


@dataclass(slots=True)
class _Known:
    publisher: Session
    told: Faults = ()
    seen: Faults = ()
    """At the last look."""


class IngestAlerts:
    """`segments` is the folder that nginx writes HLS into."""

    def __init__(
        self, *, events: Gathering, presence: Presence, samples: Samples, segments: Path, clock: Clock
    ) -> None:
        self._events = events
        self._presence = presence
        self._samples = samples
        self._segments = segments
        self._clock = clock
        self._rooms: dict[int, _Known] = {}

    async def step(self) -> None:
        settled = self._clock.ticks() - SETTLED
        live = {each.room_id: each for each in self._presence.publishers() if each.live and each.since <= settled}
        for room_id in self._rooms.keys() - live.keys():
            del self._rooms[room_id]
        for some in _parts(list(live.values())):
            folders = [self._segments / str(each.room_id) for each in some]
            apart = await asyncio.to_thread(lambda those: [key_frame_seconds(each) for each in those], folders)
            for publisher, seconds in zip(some, apart, strict=True):
                self._look(publisher, seconds)

    def _look(self, publisher: Session, key_frames: float) -> None:
        info = publisher.stream_info
        if info is None:
            return
        known = self._rooms.get(publisher.room_id)
        if known is None or known.publisher is not publisher:
            known = self._rooms[publisher.room_id] = _Known(publisher)
        found = faults(info, key_frames, self._samples.recent_bits(publisher.room_id))
        if found == known.seen and found != known.told:
            known.told = found
            self._events.put(
                publisher.room_id,
                EventKind.ALERT,
                faults=found,
                bitsPerSecond=info.bits_per_second,
                framesPerSecond=round(info.frames_per_second, 2),
                width=info.width,
                height=info.height,
                videoCodec=info.video_codec,
                audioCodec=info.audio_codec,
                keyFrameSeconds=key_frames,
            )
        known.seen = found


def faults(info: StreamInfo, key_frames: float, bits: Sequence[int]) -> Faults:
    """Of a publisher that has settled. `bits` a second, of the last minutes, the oldest first."""
    all_there_are = {
        "noVideo": not info.video_codec and not info.width,
        "noSound": not info.audio_codec,
        "otherVideo": info.video_codec not in PLAYED or (not info.video_codec and info.width > 0),
        "otherAudio": info.audio_codec not in HEARD,
        "keyFrames": key_frames > FAR_APART,
        "bitrateFell": _has_fallen([each for each in bits if each > 0]),
    }
    return tuple(fault for fault, is_so in all_there_are.items() if is_so)


def key_frame_seconds(folder: Path) -> float:
    """How far apart key frames are, which nginx begins its fragments with; at least about 1. 0: not known yet."""
    try:
        lengths = _FRAGMENT.findall((folder / "index.m3u8").read_text())
    except OSError:
        return 0.0
    return max((float(length) for length in lengths[-5:]), default=0.0)


def _has_fallen(bits: Sequence[int]) -> bool:
    if len(bits) < FEW:
        return False
    usual = sorted(bits[:-LATEST])[(len(bits) - LATEST) // 2]
    return mean(bits[-LATEST:]) < FELL * usual


def _parts(publishers: Sequence[Session]) -> Iterator[Sequence[Session]]:
    return (publishers[start : start + AT_A_TIME] for start in range(0, len(publishers), AT_A_TIME))
