"""The program that pushes for a minute, unless it is ended before: a grey picture that grows lighter.

`python -m control.doctor.pusher`, with the address on standard input, since it has a password. A process of its own:
while FFmpeg waits for a server that does not answer, nothing else of its process runs. It prints what went wrong."""

from __future__ import annotations

import sys
import time
from contextlib import closing
from fractions import Fraction

import av
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

LONGEST = 60.0  # seconds of the push
WIDTH, HEIGHT, RATE = 320, 180, 15


def main() -> int:
    av.logging.set_level(None)  # it would print the address
    try:
        push(sys.stdin.readline().strip())
    except (av.error.FFmpegError, OSError) as failure:
        print(failure.strerror or type(failure).__name__, flush=True)
        return 1
    return 0


def push(url: str) -> None:
    with closing(av.open(url, "w", format="flv")) as out:
        video = out.add_stream("libx264", rate=RATE, options={"preset": "ultrafast", "tune": "zerolatency"})
        assert isinstance(video, VideoStream)
        video.width, video.height, video.pix_fmt, video.gop_size = WIDTH, HEIGHT, "yuv420p", RATE
        for number in range(int(LONGEST * RATE)):
            out.mux(video.encode(_picture(number)))
            time.sleep(1 / RATE)


def _picture(number: int) -> VideoFrame:
    frame = VideoFrame(WIDTH, HEIGHT, "yuv420p")
    for plane in frame.planes:
        plane.update(bytes([number % 256]) * plane.buffer_size)
    frame.pts, frame.time_base = number, Fraction(1, RATE)
    return frame


if __name__ == "__main__":
    sys.exit(main())
