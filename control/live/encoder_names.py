"""What encodes a broadcast, as its metadata has it, of which nginx-rtmp tells nobody: the guard reads it, and writes it
into a file that is named after the room."""

from __future__ import annotations

import asyncio
from pathlib import Path

from control.live.broadcasts import Broadcasts
from control.live.presence import Presence

LOOK = 2.0  # seconds between two looks for what was written
LONGEST = 64  # characters


class EncoderNames:
    def __init__(self, folder: Path, presence: Presence, broadcasts: Broadcasts) -> None:
        self._folder = folder
        self._presence = presence
        self._broadcasts = broadcasts

    async def load(self) -> None:
        """Makes the folder."""
        await asyncio.to_thread(self._folder.mkdir, mode=0o700, parents=True, exist_ok=True)

    async def step(self) -> None:
        """Each file is read once, as soon as its broadcast is on air."""
        found = await asyncio.to_thread(_read, self._folder)
        done = [room_id for room_id, name in found.items() if self._note(room_id, name)]
        if done:
            await asyncio.to_thread(_remove, self._folder, done)

    def _note(self, room_id: int, name: str) -> bool:
        """Whether nothing is to be waited for."""
        noted = name and self._broadcasts.encoded_by(room_id, name)
        return bool(noted) or self._presence.publisher(room_id) is None  # it has gone again


def _read(folder: Path) -> dict[int, str]:
    """ "" for a file that is still being written, or has no name in it."""
    found = {}
    for file in folder.iterdir():
        if file.name.isdecimal():
            text = file.read_bytes()[:LONGEST].decode("ascii", "replace").strip()
            found[int(file.name)] = text if text.isprintable() else ""
    return found


def _remove(folder: Path, rooms: list[int]) -> None:
    for room_id in rooms:
        (folder / str(room_id)).unlink(missing_ok=True)
