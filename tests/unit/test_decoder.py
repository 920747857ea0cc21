"""The decoder: a process that gets what strangers send."""

from __future__ import annotations

import io
import os
import resource
import signal
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from control.snapshots import decoder
from control.snapshots.decoder import LARGEST, WIDEST, fitted, picture, sample
from control.snapshots.messages import LENGTH, NONE

ROOT = Path(__file__).parents[2]
X264 = ["-c:v", "libx264", "-pix_fmt", "yuv420p"]
ENCODERS = {
    "with B frames": [*X264, "-preset", "veryfast", "-g", "50"],
    "without lookahead": [*X264, "-preset", "ultrafast", "-tune", "zerolatency", "-g", "80"],
    "baseline": [*X264, "-profile:v", "baseline", "-g", "10"],
    "interlaced": [*X264, "-flags", "+ildct+ilme", "-g", "10"],
    "MPEG-2": ["-c:v", "mpeg2video"],
    "HEVC": ["-c:v", "libx265", "-x265-params", "log-level=none"],
}


def made(source: str, *arguments: str) -> bytes:
    command = ["ffmpeg", "-nostdin", "-loglevel", "error", "-f", "lavfi", "-i", source, *arguments, "-f", "mpegts", "-"]
    return subprocess.run(command, check=True, capture_output=True).stdout


def segment(*arguments: str, size: str = "320x180", frames: int = 12) -> bytes:
    return made(f"testsrc2=size={size}:rate=10", "-frames:v", str(frames), *arguments)


@pytest.mark.parametrize("kind", ENCODERS)
def test_the_first_key_frame_is_made_a_picture(kind: str) -> None:
    clear, blurred = (Image.open(io.BytesIO(each)) for each in picture(segment(*ENCODERS[kind])))
    assert clear.format == blurred.format == "JPEG"
    assert clear.size == blurred.size == (320, 180)
    colours = clear.getcolors(maxcolors=320 * 180)
    assert colours and len(colours) > 100


SIZES = {"1920x1080": (640, 360), "360x640": (360, 640), "720x1280": (360, 640), "64x48": (64, 48)}


@pytest.mark.parametrize("size", SIZES)
def test_a_picture_fits(size: str) -> None:
    shown = SIZES[size]
    assert Image.open(io.BytesIO(picture(segment(*X264, size=size, frames=1))[0])).size == shown


def test_sides_are_even_and_never_none() -> None:
    assert fitted(4000, 2, WIDEST) == (640, 2)
    assert fitted(3, 5, WIDEST) == (4, 4)


NO_STREAMS = {"nothing": b"", "a byte": b"G", "noise": os.urandom(100_000), "a packet": b"\x47" + bytes(187)}


@pytest.mark.parametrize("kind", NO_STREAMS)
def test_what_is_no_stream_has_none(kind: str) -> None:
    assert picture(NO_STREAMS[kind]) == NONE


def test_what_shows_nothing_whole_has_none() -> None:
    whole = segment(*X264)
    assert picture(whole[:1000]) == NONE
    assert picture(whole[:400] + os.urandom(5000) + whole[5000:]) == NONE


def test_sound_alone_has_none() -> None:
    assert picture(made("sine=duration=1", "-c:a", "aac")) == NONE


def test_what_is_too_large_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    assert LARGEST >= 3840 * 2160
    content = segment(*X264, size="640x360", frames=1)
    monkeypatch.setattr(decoder, "LARGEST", 640 * 359)
    assert picture(content) == NONE


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "control.snapshots.decoder"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as started:
        yield started
        started.kill()


def ask(process: subprocess.Popen[bytes], content: bytes) -> list[bytes]:
    assert process.stdin and process.stdout
    process.stdin.write(LENGTH.pack(len(content)) + content)
    process.stdin.flush()
    return [process.stdout.read(*LENGTH.unpack(process.stdout.read(LENGTH.size))) for _ in range(2)]


def test_the_process_answers_again_and_again_and_ends_with_its_input(process: subprocess.Popen[bytes]) -> None:
    content = segment(*X264)
    assert [all(ask(process, each)) for each in (content, b"x", content)] == [True, False, True]
    assert process.stdin
    process.stdin.close()
    assert process.wait(5) == 0


def test_the_process_is_confined(process: subprocess.Popen[bytes]) -> None:
    assert all(ask(process, sample()))  # it is past its start
    limits = Path(f"/proc/{process.pid}/limits").read_text()
    assert f"Max address space         {decoder.MEMORY} " in limits
    assert f"Max open files            {decoder.FILES} " in limits
    assert os.getpriority(os.PRIO_PROCESS, process.pid) == decoder.NICE
    assert "NoNewPrivs:\t1" in Path(f"/proc/{process.pid}/status").read_text()


def test_without_files_none_is_opened() -> None:
    program = (
        "from control.snapshots.confinement import without_files\n"
        "kept = open('/proc/self/status')\n"
        "assert without_files()\n"
        "assert kept.read(4) == 'Name'\n"
        "try: open('/etc/passwd')\n"
        "except PermissionError: print('none', flush=True)\n"
        "import os; os._exit(0)\n"  # what measures coverage would want a file at the end
    )
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert (ran.stdout, ran.stderr) == ("none\n", "")


def test_what_takes_too_long_ends_the_process() -> None:
    """Whatever it is: here a stand-in that never comes to an end."""
    program = (
        "from itertools import count\n"
        "from control.snapshots import decoder\n"
        "real, decoder.ALARM = decoder.picture, 1\n"
        "decoder.picture = lambda content: real(content) if content != b'for ever' else sum(count())\n"
        "decoder.main()\n"
    )
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert all(ask(process, sample()))
        assert process.stdin
        process.stdin.write(LENGTH.pack(8) + b"for ever")
        process.stdin.flush()
        assert process.wait(10) == -signal.SIGALRM


def test_messages_have_their_length_before_them() -> None:
    source = io.BytesIO(b"".join(struct.pack(">I", len(each)) + each for each in (b"one", b"", b"three")) + b"\0\0")
    assert list(decoder.messages(source)) == [b"one", b"", b"three"]


def test_no_memory_is_left_behind() -> None:
    content = segment(*X264)
    picture(content)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(50):
        picture(content)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # KiB
