"""What a user would pick instead of the product; left out where it is not installed."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.bench import baselines
from tests.bench.joins import Target
from tests.bench.processes import ENDPOINT, family, started
from tests.e2e.ports import free_ports

FOLDER = Path(__file__).parent
PYTHON = Path(".bench/bin/python")
MEDIA_SERVER = FOLDER / "node_modules/node-media-server/bin/app.js"
WORKERS = 2  # of gunicorn
SECRET = "the secret of the bench"
DAY = 86400  # seconds


class Absent(Exception):
    """A peer that is not installed; the text says which, and why."""


@contextmanager
def flask(folder: Path, rooms: Sequence[str]) -> Iterator[Target]:
    """nginx-rtmp that asks Flask; `rooms` with their passwords. Raises Absent."""
    if not PYTHON.exists():
        raise Absent("Flask is left out: its packages could not be installed")
    folder.mkdir(parents=True)
    environment = os.environ | {"DATABASE": f"sqlite:///{folder}/rooms.db"}
    subprocess.run([PYTHON, FOLDER / "flask_app.py", *rooms], env=environment, check=True)
    (port,) = free_ports(1)
    bound = ["--bind", f"127.0.0.1:{port}", "--workers", str(WORKERS), "--log-level", "warning"]
    command = [str(PYTHON), "-m", "gunicorn", *bound, "--chdir", str(FOLDER), "flask_app:app"]
    with (
        started(command, ENDPOINT, environment) as pid,
        baselines.rtmp(folder / "rtmp", f"http://127.0.0.1:{port}") as asking,
    ):
        yield Target(asking.port, rooms, _complete(pid))


def _complete(master: int) -> list[int]:
    """The master and its workers, once they are there. Raises TimeoutError."""
    until = time.monotonic() + 20
    while len(pids := family(master)) <= WORKERS:
        if time.monotonic() > until:
            raise TimeoutError("gunicorn has no workers")
        time.sleep(0.1)
    return pids


@contextmanager
def media_server(folder: Path, rooms: Sequence[str]) -> Iterator[Target]:
    """node-media-server with its own signed addresses, on a core of its own; `rooms` without. Raises Absent."""
    node = shutil.which("node")
    if node is None or not MEDIA_SERVER.exists():
        raise Absent("node-media-server is left out: its packages could not be installed")
    folder.mkdir(parents=True)
    rtmp, http = free_ports(2)
    settings = {
        "bind": "127.0.0.1",
        "rtmp": {"port": rtmp},
        "http": {"port": http},
        "auth": {"play": True, "publish": True, "secret": SECRET},
        "store": {"path": str(folder / "data")},
    }
    file = folder / "config.json"
    file.write_text(json.dumps(settings))
    with (
        (folder / "log").open("w") as log,
        started([node, str(MEDIA_SERVER), "-c", str(file)], ENDPOINT, output=log) as pid,
    ):
        yield Target(rtmp, [_signed(room) for room in rooms], [pid])


def _signed(room: str) -> str:
    until = int(time.time()) + DAY
    return f"{room}?sign={until}-{hashlib.md5(f'/live/{room}-{until}-{SECRET}'.encode()).hexdigest()}"
