"""The program that decodes: pieces of MPEG-TS come in, pictures of their first key frames go out.

`python -m control.snapshots.decoder`. What it reads comes from strangers, and is decoded by a great deal of C: so it is
a process of its own, which has no files, little memory, and an alarm. For each message that comes in two go out: the
picture, and the same blurred; both empty where there is none."""

from __future__ import annotations

import io
import os
import resource
import signal
import sys
from collections.abc import Iterator
from fractions import Fraction
from typing import BinaryIO

import av
import av.audio.stream
import av.subtitles.stream  # which would be looked for with the first stream of its kind
from av.video.frame import VideoFrame

from control.snapshots.confinement import without_files
from control.snapshots.messages import LENGTH, NONE, Picture

WIDEST = 640  # pixels, of either side of a picture
BLURRED = 16  # pixels that are left of its longer side before it is blown up again
LARGEST = 4096 * 2304  # pixels of a frame that is decoded
MEMORY = 1024 * 2**20  # bytes of address space; the libraries take a third of it
FILES = 16
ALARM = 4  # seconds for one picture, after which the process ends
NICE = 10
QUALITY = 4  # of JPEG: 2 is best, 31 worst


def main() -> None:
    os.nice(NICE)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    av.logging.set_level(None)  # it would print what strangers send
    if not all(picture(sample())):  # what is loaded at first use is loaded now
        sys.exit("nothing can be decoded here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))
    without_files()
    for segment in messages(sys.stdin.buffer):
        signal.alarm(ALARM)
        for part in picture(segment):
            sys.stdout.buffer.write(LENGTH.pack(len(part)) + part)
        sys.stdout.buffer.flush()
        signal.alarm(0)


def messages(source: BinaryIO) -> Iterator[bytes]:
    """Until its end."""
    while len(head := source.read(LENGTH.size)) == LENGTH.size:
        yield source.read(*LENGTH.unpack(head))


def picture(segment: bytes) -> Picture:
    """NONE where it shows nothing that can be decoded."""
    try:
        frame = key_frame(segment)
        return jpegs(frame) if frame and not frame.is_corrupt else NONE
    except (av.error.FFmpegError, ValueError, MemoryError):
        return NONE


def key_frame(segment: bytes) -> VideoFrame | None:
    limits = {"max_pixels": str(LARGEST)}
    # It would decode a frame of each stream to see what they are, which takes as long as the one that is wanted.
    unseen = {"codec_whitelist": "none"}
    with av.open(io.BytesIO(segment), "r", format="mpegts", options=limits | unseen) as container:
        if not container.streams.video:
            return None
        stream = container.streams.video[0]
        stream.codec_context.skip_frame = "NONKEY"
        stream.codec_context.thread_count = 1
        stream.codec_context.options = limits
        return next(iter(container.decode(stream)), None)


def jpegs(frame: VideoFrame) -> Picture:
    width, height = fitted(frame.width, frame.height, WIDEST)
    clear = frame.reformat(width, height, "yuvj420p")
    few = frame.reformat(*fitted(frame.width, frame.height, BLURRED), "yuvj420p", interpolation="AREA")
    return jpeg(clear), jpeg(few.reformat(width, height, "yuvj420p", interpolation="BICUBIC"))


def sample() -> bytes:
    """The least there is to decode."""
    file = io.BytesIO()
    with av.open(file, "w", format="mpegts") as container:
        video = container.add_stream("mpeg2video", rate=25, width=64, height=64, pix_fmt="yuv420p")
        container.mux([*video.encode(VideoFrame(64, 64, "yuv420p")), *video.encode(None)])
    return file.getvalue()


def fitted(width: int, height: int, most: int) -> tuple[int, int]:
    """Even, and at least 2; not larger than it is."""
    scale = min(1.0, most / max(width, height))
    return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)


def jpeg(frame: VideoFrame) -> bytes:
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = frame.width, frame.height, frame.format.name
    encoder.time_base = Fraction(1, 25)  # of no meaning to one picture
    encoder.qmin = encoder.qmax = QUALITY
    return b"".join(bytes(packet) for packet in (*encoder.encode(frame), *encoder.encode(None)))


if __name__ == "__main__":
    main()
