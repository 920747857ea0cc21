"""`qplus upgrade`: what `make upgrade` does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from control.settings import to_env
from control.supervisor import upgrade as command
from control.supervisor.errors import StartError
from tests.e2e.conftest import ROOT, Node

pytestmark = pytest.mark.anyio


def upgrade(node: Node) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "control", "upgrade"],
        cwd=ROOT,
        env=node.env | to_env(node.settings),
        capture_output=True,
        text=True,
        timeout=60,
    )


async def test_another_control_serves_and_a_stream_goes_on(node: Node) -> None:
    room, old = await node.room(), node.pid("control")
    async with node.publisher(room.push) as publisher:
        await node.live(room)
        told = upgrade(node)
        assert (told.returncode, told.stderr) == (0, "")
        assert node.pid("control") != old
        assert await node.is_live(room)
        assert not publisher.is_closed


async def test_a_control_that_does_not_come_up_is_said(node: Node) -> None:
    os.kill(node.pid("supervisor"), signal.SIGSTOP)
    try:
        with pytest.raises(StartError, match="the one before goes on"):
            command.run(node.settings, patience=0.5)
    finally:
        os.kill(node.pid("supervisor"), signal.SIGCONT)


def test_without_a_node_it_says_so(tmp_path: Path) -> None:
    told = upgrade(Node(tmp_path / "nowhere"))
    assert told.returncode == 1
    assert told.stderr == f"error: no node runs in {tmp_path / 'nowhere'}\n"
