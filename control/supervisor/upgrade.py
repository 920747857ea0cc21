"""Has a running node load the code that is on disk now, and waits until it does its work."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress

from control.settings import Settings
from control.supervisor import folders, probe
from control.supervisor.errors import StartError

PATIENCE = 30.0  # seconds


def run(settings: Settings, patience: float = PATIENCE) -> None:
    """Ends once another control is ready. Raises StartError where no node runs, or none comes up within `patience`
    seconds."""
    node, before = folders.supervised(settings), _control(settings)
    if node is None:
        raise StartError(f"no node runs in {settings.data_dir}")
    try:
        os.kill(node.pid, signal.SIGHUP)
    except PermissionError:
        raise StartError(f"the node in {settings.data_dir} is another user's (pid {node.pid})") from None
    deadline = time.monotonic() + patience
    problem = "the one before goes on, and the node's log says why"
    while time.monotonic() < deadline:
        if _control(settings) not in (0, before) and not (problem := probe.problem(node.sockets / "internal.sock")):
            return
        time.sleep(0.1)
    raise StartError(
        f"the new control is not ready: {problem}. Streams go on; put the code back that was there, and upgrade again"
    )


def _control(settings: Settings) -> int:
    """Its pid; 0 between two lives."""
    with suppress(FileNotFoundError):
        return int((settings.run_dir / "control.pid").read_text())
    return 0
