"""A node with both real nginx, under the real supervisor, and a stand-in for control."""

import contextlib
import http.client
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self, TypeVar
from xml.etree import ElementTree

from control.settings import Settings, to_env

ROOT = Path(__file__).parents[2]


def open_to_others(folder: Path) -> None:
    """Where root runs the tests, a node runs as another user, who has to get to its folder."""
    for each in (folder, *folder.parents):
        if os.geteuid() == 0 and not each.stat().st_mode & 0o001:
            each.chmod(each.stat().st_mode | 0o011)


Found = TypeVar("Found")
PARTS = ("control", "guard", "rtmp", "web")
RUN = """
import os, sys
from control.ops import logs
from control.supervisor import supervisor
from control.settings import from_env
settings = from_env(os.environ)
logs.configure(settings)
sys.exit(supervisor.run(settings, sys.argv[1:]))
"""
# Says yes to everything, notes the paths it was asked for, and starts only when no file HOLD stands in its way.
STAND_IN = """
import os, socket, sys, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

here = Path(__file__).parent
while (here / "HOLD").exists():
    time.sleep(0.01)

class Server(ThreadingHTTPServer):
    def __init__(self, fd):
        super().__init__("", Handler, bind_and_activate=False)
        self.socket = socket.socket(fileno=int(fd))

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *_):
        pass
    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with (here / "calls").open("a") as calls:
            print(self.path, file=calls)
        body = str({**self.headers, "pid": os.getpid()}).encode()
        self.send_response(200)
        self.send_header("Cache-Control", "max-age=1, stale-if-error=600")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    do_POST = do_GET

if "--after-fd" in sys.argv:
    supervisor = socket.socket(fileno=int(sys.argv[6]))
    supervisor.send(b"l")
    supervisor.recv(1) == b"b" or sys.exit()
for fd in (sys.argv[2], sys.argv[4]):
    threading.Thread(target=Server(fd).serve_forever).start()
"""


def until(condition: Callable[[], Found], seconds: float = 20) -> Found:
    """Waits for a condition and returns what it found."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "this did not come true in time"
        time.sleep(0.02)
    return found


def processes(group: int) -> list[int]:
    """The living processes of a process group."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, of = stat.read_text().rpartition(")")[2].split()[:3]
            if int(of) == group and state not in "ZX":
                found.append(int(stat.parent.name))
    return found


def workers(group: int) -> list[int]:
    """Likewise, without nginx's cache loader, which ends by itself after a minute."""
    found = []
    for pid in processes(group):
        with contextlib.suppress(OSError):
            if b"cache loader" not in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(pid)
    return sorted(found)


class Node:
    """One run of the supervisor."""

    def __init__(self, folder: Path, http_port: int, rtmp_port: int) -> None:
        self.settings = Settings(
            data_dir=folder / "var", http_port=http_port, rtmp_port=rtmp_port, log_format="json", update_seconds=1
        )
        self.folder = folder
        self.out, self.log = folder / "out", folder / "log"
        self.stand_in = folder / "stand_in.py"
        self.stand_in.write_text(STAND_IN)
        open_to_others(folder)
        if os.geteuid() == 0:
            shutil.chown(folder, self.settings.user)  # the stand-in notes there what it was asked for
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "not started"
        return self._process

    def start(self, *control: str, **options: Any) -> Self:
        command = control or (sys.executable, str(self.stand_in))
        with self.out.open("ab") as out, self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", RUN, *command],
                **{"cwd": ROOT, "stdin": subprocess.DEVNULL, "stdout": out, "stderr": log, **options},
                env={**os.environ, **to_env(self.settings)},
            )
        return self

    def ready(self) -> Self:
        until(lambda: "Ctrl-C" in self.out.read_text() or self.process.poll() is not None)
        assert self.process.poll() is None, self.log.read_text()
        return self

    def pid(self, part: str) -> int:
        """0 when there is no pid file."""
        with contextlib.suppress(FileNotFoundError):
            return int((self.settings.run_dir / f"{part}.pid").read_text())
        return 0

    def pids(self) -> dict[str, int]:
        return {part: self.pid(part) for part in PARTS}

    def new_pid(self, part: str, old: int) -> int:
        return until(lambda: pid if (pid := self.pid(part)) != old else 0)

    def get(self, path: str = "/") -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.settings.http_port, timeout=20)
        with contextlib.closing(connection):
            connection.request("GET", path, headers={"X-Forwarded-For": "6.6.6.6"})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def serves(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.settings.rtmp_port), 5):
            return self.get()[0] == 200
        return False

    def calls(self) -> list[str]:
        with contextlib.suppress(FileNotFoundError):
            return (self.folder / "calls").read_text().split()
        return []

    def stream_age(self) -> float:
        """Seconds, as the rtmp nginx has it; 0 when there is no stream."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.settings.workers[0].socket))
            connection.sendall(b"GET /stat HTTP/1.0\r\n\r\n")
            body = connection.makefile().read().partition("<rtmp>")
        return int(ElementTree.fromstring("<rtmp>" + body[2]).findtext(".//stream/time", "0")) / 1000

    def hold(self) -> None:
        (self.folder / "HOLD").touch()

    def let_go(self) -> None:
        (self.folder / "HOLD").unlink(missing_ok=True)

    def end(self) -> None:
        self.let_go()
        if self._process and self._process.poll() is None:
            self.process.terminate()
            self.process.wait(20)
        shutil.rmtree(self.settings.sockets, ignore_errors=True)
