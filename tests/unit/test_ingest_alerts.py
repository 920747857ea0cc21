from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import pytest

from control.access.verdicts import Role
from control.live.ingest_alerts import SETTLED, Faults, IngestAlerts, faults
from control.live.presence import Presence, Session, SessionKey
from control.live.samples import Samples
from control.live.stream_info import StreamInfo
from control.storage.room_events import EventKind
from tests.support.receiver import Events
from tests.support.world import HandClock

pytestmark = pytest.mark.anyio

ROOM = 1000001
WELL = StreamInfo(2_500_000, 1280, 720, 30.0, "H264", "AAC")
SILENT = StreamInfo(2_500_000, 1280, 720, 30.0, "H264", "")


@pytest.mark.parametrize(
    ("info", "key_frames", "bits", "found"),
    [
        (WELL, 2.0, [2_500_000] * 30, ()),
        (SILENT, 2.0, [], ("noSound",)),
        (StreamInfo(64_000, 0, 0, 0.0, "", "AAC"), 0.0, [], ("noVideo",)),
        (StreamInfo(2_500_000, 1280, 720, 30.0, "", "AAC"), 0.0, [], ("otherVideo",)),
        (StreamInfo(2_500_000, 1280, 720, 30.0, "H265", "Opus"), 0.0, [], ("otherVideo", "otherAudio")),
        (WELL, 4.5, [], ("keyFrames",)),
        (WELL, 2.0, [2_500_000] * 8 + [900_000] * 2, ("bitrateFell",)),
        (WELL, 2.0, [2_500_000] * 3 + [900_000] * 2, ()),
    ],
)
def test_faults(info: StreamInfo, key_frames: float, bits: list[int], found: Faults) -> None:
    assert faults(info, key_frames, bits) == found


class Room:
    def __init__(self, folder: Path) -> None:
        self.clock, self.events = HandClock(), Events()
        self.presence = Presence(self.clock)
        self.alerts = IngestAlerts(
            events=self.events,
            presence=self.presence,
            samples=cast(Samples, self),
            segments=folder,
            clock=self.clock,
        )

    def recent_bits(self, room_id: int) -> list[int]:
        return []

    def comes(self, client: int = 1) -> None:
        key = SessionKey("local", "s1", client)
        self.presence.admit(Session(key, Role.PUBLISHER, ROOM, "192.0.2.7", self.clock.ticks()))
        self.timestamp = 0

    async def sends(self, info: StreamInfo, *, looks: int = 2, client: int = 1) -> None:
        for _ in range(looks):
            self.timestamp += 1000
            self.presence.hear(SessionKey("local", "s1", client), self.timestamp, stream_info=info)
            await self.alerts.step()

    @property
    def told(self) -> list[tuple[Any, ...]]:
        return self.events.told("faults")


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def alert(*names: str) -> tuple[EventKind, Iterable[str]]:
    return EventKind.ALERT, names


async def test_a_fault_is_told_once_and_so_is_its_end(room: Room) -> None:
    room.comes()
    room.clock.advance(SETTLED)
    for info in (SILENT, SILENT, WELL, WELL):
        await room.sends(info)
    assert room.told == [alert("noSound"), alert()]


async def test_what_one_look_alone_shows_is_not_told(room: Room) -> None:
    room.comes()
    room.clock.advance(SETTLED)
    for info in (SILENT, WELL, SILENT, WELL):
        await room.sends(info, looks=1)
    assert room.told == []


async def test_who_has_just_begun_is_given_time(room: Room) -> None:
    room.comes()
    room.clock.advance(SETTLED - 1)
    await room.sends(SILENT, looks=3)
    assert room.told == []


async def test_another_publisher_begins_anew(room: Room) -> None:
    room.comes()
    room.clock.advance(SETTLED)
    await room.sends(SILENT)
    room.presence.end(SessionKey("local", "s1", 1))
    room.comes(client=2)
    room.clock.advance(SETTLED)
    await room.sends(SILENT, client=2)
    assert room.told == [alert("noSound"), alert("noSound")]
