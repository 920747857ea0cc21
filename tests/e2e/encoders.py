"""Real encoders."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


@asynccontextmanager
async def encoder(url: str, *, key_frames: int = 1, rate: int = 25) -> AsyncIterator[asyncio.subprocess.Process]:
    """ffmpeg, pushing a test picture and a tone; `key_frames` is seconds from one to the next."""
    picture = ["-re", "-f", "lavfi", "-i", f"testsrc=size=320x180:rate={rate}", "-f", "lavfi", "-i", "sine"]
    video = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", str(rate * key_frames)]
    command = ["ffmpeg", "-nostdin", "-loglevel", "error", *picture, *video, "-c:a", "aac", "-f", "flv", url]
    process = await asyncio.create_subprocess_exec(*command)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
