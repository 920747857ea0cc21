"""The check from outside, on a node that `make run` started: it passes, leaves nothing behind, and can fail."""

from __future__ import annotations

import asyncio
import os
import subprocess
from pathlib import Path

import pytest

from tests.e2e.conftest import Node

pytestmark = pytest.mark.anyio

SCRIPT = Path(__file__).with_name("compose_check.sh")


async def checked(http_port: int, rtmp_port: int) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        SCRIPT,
        env=os.environ | {"HTTP_PORT": str(http_port), "RTMP_PORT": str(rtmp_port)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


def processes_with(text: str) -> list[str]:
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = file.read_bytes().decode(errors="replace").replace("\0", " ")
        except OSError:
            continue  # it has just ended
        found += [words] if text in words and "ffmpeg" in words else []
    return found


async def test_it_passes_and_leaves_nothing_running(node: Node) -> None:
    code, said = await checked(node.settings.http_port, node.settings.rtmp_port)
    assert code == 0, said
    assert processes_with(f":{node.settings.rtmp_port}/live") == []


async def test_it_fails_where_nobody_can_be_pushed_to(node: Node) -> None:
    closed = node.settings.http_port  # no RTMP is spoken there
    code, said = await checked(node.settings.http_port, closed)
    assert code == 1
    assert said.splitlines()[-1] == "  WRONG  not in time: the room is live"
    assert processes_with(f":{closed}/live") == []
