"""What viewers over HLS are given first, whatever the encoder."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from control.supervisor import folders
from tests.e2e.conftest import Node, Room, until
from tests.e2e.encoders import KINDS, pushing
from tests.e2e.test_hls import ticket_url

pytestmark = pytest.mark.anyio

VIDEO = 0x100  # the packet id that nginx-rtmp writes video under
COPIED, SOUND = "a file, copied", "sound alone"


def has_picture(segment: bytes) -> bool:
    return any(int.from_bytes(segment[at + 1 : at + 3]) & 0x1FFF == VIDEO for at in range(0, len(segment) - 187, 188))


@dataclass
class Watcher:
    """Somebody who asks for the playlist over and over, and for each segment once."""

    node: Node
    url: str
    segments: dict[int, tuple[str, bytes]] = field(default_factory=dict)
    """By number: name and content."""
    first: int = 0
    """Number of the first that is listed."""

    async def look(self) -> None:
        answer = await self.node.http.get(self.url)
        if answer.status_code == 404:
            assert not self.segments, "a playlist that was there is gone"
            return
        assert answer.status_code == 200
        first = int(re.findall(r"MEDIA-SEQUENCE:(\d+)", answer.text)[0])
        names = re.findall(r"^\d+\.ts$", answer.text, re.MULTILINE)
        assert names and first >= self.first and first + len(names) > max(self.segments, default=0)
        self.first = first
        for number, name in enumerate(names, first):
            if number not in self.segments:
                self.segments[number] = name, await self.fetch(name)
            assert self.segments[number][0] == name

    async def fetch(self, name: str) -> bytes:
        answer = await self.node.http.get(self.url.replace("index.m3u8", name))
        assert answer.status_code == 200, f"{name} is listed and cannot be had"
        return answer.content

    async def has(self, count: int, within: float) -> None:
        """Looks until it has so many segments."""

        async def enough() -> bool:
            await self.look()
            await asyncio.sleep(0.2)  # as players do, which do not ask in every moment
            return len(self.segments) >= count

        await until(enough, within)

    async def decoded(self, folder: Path) -> int:
        """How many frames of its segments, from the first on, an ordinary decoder shows."""
        file = folder / f"{id(self)}.ts"
        file.write_bytes(b"".join(content for _, content in self.segments.values()))
        ask = ["-v", "error", "-select_streams", "v", "-count_frames", "-show_entries", "stream=nb_read_frames"]
        process = await asyncio.create_subprocess_exec(
            "ffprobe", *ask, "-of", "csv=p=0", str(file), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        out, complaints = await process.communicate()
        assert complaints == b""
        return int(out.split()[0])


async def watcher(node: Node, room: Room) -> Watcher:
    return Watcher(node, await ticket_url(node, room, await node.user()))


async def test_with_any_encoder_each_segment_has_a_picture(node: Node, tmp_path: Path, copied: list[str]) -> None:
    sent = {name: kind.arguments for name, kind in KINDS.items() if kind.picture} | {COPIED: copied}

    async def watch(name: str) -> None:
        room = await node.room()
        viewer = await watcher(node, room)
        async with pushing(f"{node.rtmp}/{room.push}", sent[name]):
            await viewer.has(2 if "8 s" in name else 3, within=40)
        assert all(has_picture(content) for _, content in viewer.segments.values()), name
        assert await viewer.decoded(tmp_path) > 20, name

    async with asyncio.TaskGroup() as group:
        for name in (*sent, SOUND):
            group.create_task(hear(node) if name == SOUND else watch(name))


async def hear(node: Node) -> None:
    """Sound alone plays over both protocols, before it has gone on for so long that no picture is waited for."""
    room = await node.room()
    viewer = await watcher(node, room)
    async with pushing(f"{node.rtmp}/{room.push}", KINDS[SOUND].arguments), node.player(room.play) as player:
        await viewer.has(3, within=12)
        assert player.media
    assert not any(has_picture(content) for _, content in viewer.segments.values())


@pytest.mark.parametrize("options", [{"gap_seconds": 0}])
async def test_nothing_of_the_broadcast_before_is_listed(node: Node, copied: list[str]) -> None:
    room = await node.room()
    before, after = await watcher(node, room), await watcher(node, room)
    async with pushing(f"{node.rtmp}/{room.push}", copied):
        await before.has(2, within=10)
    await node.off_air(room)
    async with pushing(f"{node.rtmp}/{room.push}", copied):
        await after.has(2, within=10)
    assert min(after.segments) > max(before.segments)
    assert all(has_picture(content) for _, content in after.segments.values())
    folder = folders.hls(node.settings) / str(room.id)
    assert len(list(folder.glob("*.ts"))) > len(after.segments)  # they were there, and were not listed
