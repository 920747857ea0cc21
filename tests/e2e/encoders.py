"""Real encoders."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Kind:
    """What an encoder sends: a test picture, a tone, or both."""

    key_frames: int = 1
    """Seconds from one to the next."""
    lookahead: bool = True
    """It sends nothing until it has seen some pictures, and then several at once. Without, its first key frame comes as
    soon as it is connected, as those of phones and hardware encoders do."""
    picture: bool = True
    sound: bool = True
    rate: int = 25

    @property
    def arguments(self) -> list[str]:
        """ffmpeg's, in real time and without an end."""
        picture = ["-re", "-f", "lavfi", "-i", f"testsrc=size=320x180:rate={self.rate}"]
        sound = ["-re", "-f", "lavfi", "-i", "sine"]
        return [*picture * self.picture, *sound * self.sound, *self._video * self.picture, "-c:a", "aac"]

    @property
    def _video(self) -> list[str]:
        how = ["-preset", "veryfast"] if self.lookahead else ["-preset", "ultrafast", "-tune", "zerolatency"]
        gop = str(self.rate * self.key_frames)
        return ["-c:v", "libx264", *how, "-pix_fmt", "yuv420p", "-g", gop, "-keyint_min", gop]


KINDS = {
    **{f"key frames of {seconds} s, with lookahead": Kind(seconds, rate=10) for seconds in (1, 2, 4, 8)},
    **{f"key frames of {seconds} s, no lookahead": Kind(seconds, lookahead=False, rate=10) for seconds in (1, 2, 4, 8)},
    "picture alone": Kind(2, lookahead=False, sound=False, rate=10),
    "sound alone": Kind(picture=False),
}
FILE = Kind(2, lookahead=False)  # as cameras write them


@asynccontextmanager
async def encoder(url: str, *, key_frames: int = 1, rate: int = 25) -> AsyncIterator[asyncio.subprocess.Process]:
    """ffmpeg, pushing a picture and a tone."""
    async with pushing(url, Kind(key_frames, rate=rate).arguments) as process:
        yield process


@asynccontextmanager
async def pushing(url: str, arguments: list[str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """ffmpeg, pushing what its arguments say."""
    process = await _ffmpeg(*arguments, "-f", "flv", url)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def film(file: Path, seconds: int = 30) -> list[str]:
    """Writes a film. Returns ffmpeg's arguments to send it as it is, in real time."""
    process = await _ffmpeg(*(each for each in FILE.arguments if each != "-re"), "-t", str(seconds), str(file))
    assert await process.wait() == 0
    return ["-re", "-i", str(file), "-c", "copy"]


async def _ffmpeg(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec("ffmpeg", "-nostdin", "-loglevel", "error", *arguments)
