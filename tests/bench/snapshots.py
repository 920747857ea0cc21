"""`python -m tests.bench.snapshots`: what snapshots of many live rooms cost, and how old they become."""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from control.access.rights import RightsOfRooms
from control.clock import SystemClock
from control.live.presence import Presence
from control.settings import Settings
from control.snapshots.album import Album
from control.snapshots.decoding import Decoding
from control.snapshots.messages import Picture
from control.snapshots.snapshots import Snapshots
from tests.bench.processes import family, used

LENGTH = 2  # seconds of a segment
SEGMENTS = 10
PICTURE = "testsrc2=size=1280x720:rate=30,noise=alls=12:allf=t"  # noise: flat pictures cost less to decode
HOW = ["-c:v", "libx264", "-preset", "veryfast", "-b:v", "2500k", "-pix_fmt", "yuv420p", "-g", str(30 * LENGTH)]


@dataclass(frozen=True)
class Room:
    """Stands for a publisher that is live, and for an open room's rights."""

    room_id: int
    live: bool = True
    is_open: bool = True


class Live(dict[int, Room]):
    """Stands for presence and for rights."""

    def publishers(self) -> list[Room]:
        return list(self.values())

    async def of(self, room_id: int) -> Room:
        return self[room_id]


class Counted(Album):
    """Knows how many pictures it got."""

    number = 0

    def put(self, room_id: int, picture: Picture, is_open: bool) -> None:
        super().put(room_id, picture, is_open)
        self.number += 1


def decoders() -> list[int]:
    return [pid for pid in family(os.getpgrp()) if b"decoder" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def make_segments(folder: Path) -> None:
    source = ["-f", "lavfi", "-i", PICTURE, "-f", "lavfi", "-i", "sine", "-t", str(LENGTH * SEGMENTS)]
    parts = ["-f", "segment", "-segment_time", str(LENGTH), str(folder / "%d.ts")]
    subprocess.run(["ffmpeg", "-v", "error", *source, *HOW, "-c:a", "aac", *parts], check=True)


def feed(segments: Path, hls: Path, count: int) -> None:
    """Gives each room a new segment in turn, for as long as it is let."""
    made = sorted(segments.glob("*.ts"))
    turn = 0
    while True:
        for room_id in range(1, count + 1):
            folder = hls / str(room_id)
            folder.mkdir(exist_ok=True)
            name = f"{time.time_ns() // 10**6}.ts"
            shutil.copyfile(made[(turn + room_id) % len(made)], folder / name)
            (folder / "index.new").write_text(f"#EXTM3U\n#EXTINF:{LENGTH}.0,\n{name}\n")
            (folder / "index.new").replace(folder / "index.m3u8")
            for old in sorted(folder.glob("*.ts"))[:-2]:
                old.unlink()
            if turn:
                time.sleep(LENGTH / count)
        turn += 1
        print(turn, flush=True)


async def measure(folder: Path, count: int, seconds: float) -> None:
    live = Live({room_id: Room(room_id) for room_id in range(1, count + 1)})
    decoding, album = Decoding(SystemClock()), Counted(folder / "album")
    snapshots = Snapshots(
        presence=cast(Presence, live),
        rights=cast(RightsOfRooms, live),
        album=album,
        decoding=decoding,
        segments=folder / "hls",
        every=Settings().snapshot_seconds,
        clock=SystemClock(),
    )
    await snapshots.load()
    await snapshots.step()  # which starts the decoder
    children, ours = decoders(), [os.getpid()]
    began, before = time.monotonic(), (used(children), used(ours))
    album.number = 0
    while time.monotonic() - began < seconds:
        await snapshots.next_turn()
        await snapshots.step()
    took, made = time.monotonic() - began, album.number
    decoder, control = used(children) - before[0], used(ours) - before[1]
    await decoding.close()
    print(
        f"{count} rooms: the decoder takes {decoder / took:.1%} of a core, control {control / took:.1%};"
        f" {made / took:.1f} pictures a second of {decoder / made * 1000:.1f} ms each, so one of a room"
        f" every {count * took / made:.0f} s"
    )


def main() -> None:
    if sys.argv[1:2] == ["feed"]:
        return feed(Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rooms", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "hls").mkdir()
        (folder / "segments").mkdir()
        make_segments(folder / "segments")
        command = [sys.executable, "-m", "tests.bench.snapshots", "feed", str(folder / "segments"), str(folder / "hls")]
        feeding = subprocess.Popen([*command, str(options.rooms)], stdout=subprocess.PIPE)
        try:
            assert feeding.stdout is not None
            feeding.stdout.readline()
            asyncio.run(measure(folder, options.rooms, options.seconds))
        finally:
            feeding.kill()
            feeding.wait()


if __name__ == "__main__":
    main()
