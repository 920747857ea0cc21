"""What docs/quick-start.md tells people to type does what it says, typed as it stands there."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from typing import Any

import pytest

from tests.e2e.conftest import ROOT, Node, Room

pytestmark = pytest.mark.anyio
PAGE = (ROOT / "docs" / "quick-start.md").read_text()
BLOCKS = re.findall(r"^```\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def lines(beginning: str) -> list[str]:
    """The commands that begin so."""
    found = [line for block in BLOCKS for line in block.replace("\\\n", " ").splitlines()]
    return [line for line in found if line.startswith(beginning)]


class Reader:
    """Types, at a node that has other ports than the page, and fills in what it is told."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.told: dict[str, Any] = {}

    def filled_in(self, line: str) -> str:
        line = line.replace("localhost:8080", f"127.0.0.1:{self.node.settings.http_port}")
        line = line.replace("rtmp://localhost/", f"rtmp://127.0.0.1:{self.node.settings.rtmp_port}/")
        line = line.replace(".venv/bin/python", sys.executable).replace("<from Login>", "<sessionId>")
        return re.sub(r"<(\w+)>", lambda found: str(self.told[found[1]]), line)

    async def types(self, line: str) -> str:
        shell = await self.begins(line)
        said = (await shell.communicate())[0].decode()
        assert shell.returncode == 0, said
        return said

    async def begins(self, line: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *("sh", "-c", f"exec {self.filled_in(line)}"),
            cwd=ROOT,
            env=self.node.env | {"QPLUS_DATA_DIR": str(self.node.settings.data_dir)},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )

    async def calls(self) -> None:
        for line in lines("curl "):
            answer = json.loads(await self.types(line.replace("curl ", "curl -s ")))
            assert answer["status"] == 10000, (line, answer)
            self.told |= answer


async def test_from_nothing_to_a_stream_that_is_seen(node: Node) -> None:
    reader = Reader(node)
    assert len(lines("curl ")) == 4
    await reader.calls()
    told = reader.told
    room = Room(told["liveRoomId"], told["sessionId"], told["liveRoomAnchorPwd"], told["liveRoomUserPwd"])
    [push] = lines("ffmpeg ")
    encoder = await reader.begins(push)
    try:
        await node.live(room, within=10)
        [top] = lines(".venv/bin/python -m control top")
        assert "1 rooms live" in await reader.types(top)
        [rooms] = lines(".venv/bin/python -m control room")
        assert "My room" in await reader.types(rooms)
    finally:
        encoder.terminate()
        await encoder.wait()


async def test_the_doctor_finds_nothing(node: Node) -> None:
    [doctor] = lines(".venv/bin/python -m control doctor")
    assert "FAULT" not in await Reader(node).types(f"{doctor} --only settings --only nginx --only database --only keys")
