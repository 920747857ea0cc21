"""The folder of snapshots, which the web nginx serves from."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from control.snapshots.messages import Picture


class Album:
    """`clear/<room>.jpg`, `blurred/<room>.jpg`, and `public/<room>.jpg`, one of the two by another name. All blocks."""

    def __init__(self, folder: Path) -> None:
        self._clear, self._blurred, self._public = (folder / name for name in ("clear", "blurred", "public"))

    def taken(self) -> dict[int, int]:
        """By room: when its snapshot was made, in whole seconds since the epoch."""
        for folder in (self._clear, self._blurred, self._public):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.scandir(self._clear) as files:
            found = [(file.name.removesuffix(".jpg"), file.stat().st_mtime) for file in files]
        return {int(room): int(at) for room, at in found if room.isdigit()}

    def put(self, room_id: int, picture: Picture, is_open: bool) -> None:
        for folder, content in zip((self._clear, self._blurred), picture, strict=True):
            _replace(folder / f"{room_id}.jpg", content)
        self.show(room_id, is_open)

    def show(self, room_id: int, is_open: bool) -> None:
        """To everybody: as it is, or blurred."""
        name, new = f"{room_id}.jpg", self._public / f"{room_id}.new"
        with suppress(FileNotFoundError):
            new.unlink()
        os.link((self._clear if is_open else self._blurred) / name, new)
        new.replace(self._public / name)

    def remove(self, room_id: int) -> None:
        for folder in (self._public, self._clear, self._blurred):
            (folder / f"{room_id}.jpg").unlink(missing_ok=True)


def _replace(file: Path, content: bytes) -> None:
    new = file.with_suffix(".new")
    new.write_bytes(content)
    new.replace(file)


def newest_segment(folder: Path, most: int) -> bytes:
    """The beginning of the last segment that a room's playlist lists; b"" where there is none."""
    try:
        listed = [line for line in (folder / "index.m3u8").read_text().splitlines() if line.endswith(".ts")]
        if not listed or not listed[-1].removesuffix(".ts").isdigit():
            return b""
        with (folder / listed[-1]).open("rb") as segment:
            return segment.read(most)
    except OSError:
        return b""
