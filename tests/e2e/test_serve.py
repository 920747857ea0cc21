"""Control as a process of its own, on sockets that its parent opened, with a stand-in for /stat."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import httpx
import pytest

from control.settings import Settings, to_env
from control.supervisor import folders, sockets
from tests.support.world import body

ROOT = Path(__file__).parents[2]
NOBODY = (
    b"HTTP/1.1 200 OK\r\nX-Start: s1\r\nContent-Length: 27\r\nConnection: close\r\n\r\n<rtmp><pid>1</pid></rtmp>\r\n"
)


class Process:
    """The parent's side: two listening sockets and the child that answers on them."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._listeners = [sockets.listen(settings.internal_socket), sockets.listen(settings.public_socket)]
        self.internal = self._client(settings.internal_socket)
        self.public = self._client(settings.public_socket)

    def start(self, **environment: str) -> None:
        internal, public = (listener.fileno() for listener in self._listeners)
        arguments = ("serve", "--internal-fd", str(internal), "--public-fd", str(public))
        self.child = qplus(self.settings, *arguments, pass_fds=(internal, public), more=environment)

    def ended(self) -> tuple[int, str]:
        """The exit code, and what was logged."""
        said = self.child.communicate(timeout=20)[1].decode()
        return self.child.returncode, said

    def close(self) -> None:
        if self.child.poll() is None:
            self.child.kill()
        with suppress(ValueError):
            print(self.child.communicate()[1].decode())
        for listener in self._listeners:
            listener.close()
        self.internal.close()
        self.public.close()

    def _client(self, path: Path) -> httpx.Client:
        return httpx.Client(transport=httpx.HTTPTransport(uds=str(path)), base_url="http://control", timeout=20)


def qplus(
    settings: Settings, *arguments: str, pass_fds: tuple[int, ...] = (), more: dict[str, str] | None = None
) -> subprocess.Popen[bytes]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("QPLUS_")}
    return subprocess.Popen(
        [sys.executable, "-m", "control", *arguments],
        cwd=ROOT,
        env=clean | to_env(settings) | (more or {}),
        pass_fds=pass_fds,
        stderr=subprocess.PIPE,
    )


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    with tempfile.TemporaryDirectory(prefix="qplus-") as short:
        settings = Settings(data_dir=tmp_path, socket_dir=short, argon2_time_cost=1, argon2_memory_kib=8)
        folders.prepare_sockets(settings)
        with Stat(settings.workers[0].socket), closing(Process(settings)) as made:
            yield made


class Stat:
    """An nginx that has nobody."""

    def __init__(self, path: Path) -> None:
        self._listener = sockets.listen(path)

    def __enter__(self) -> None:
        threading.Thread(target=self._serve, daemon=True).start()

    def __exit__(self, *failure: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                with client:
                    client.recv(65536)
                    client.sendall(NOBODY)


def test_requests_that_came_before_are_answered(process: Process) -> None:
    with socket.socket(socket.AF_UNIX) as early:
        early.connect(str(process.settings.public_socket))
        early.sendall(b"GET /readyz HTTP/1.0\r\n\r\n")
        process.start()
        early.settimeout(20)
        assert early.recv(65536).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(process: Process, number: signal.Signals) -> None:
    process.start()
    assert process.public.get("/readyz").status_code == 200
    process.child.send_signal(number)
    code, said = process.ended()
    assert code == 0, said
    assert "control serves" in said and "control ended" in said and "Traceback" not in said


def test_each_door_has_its_own_callers(process: Process) -> None:
    process.start()
    path, content = "/rtmp/local/s1/connect", body("connect", 1)
    assert process.internal.post(path, content=content).status_code == 204
    assert process.public.post(path, content=content).status_code == 404
    assert process.internal.post("/live/Login", json={}).status_code == 404
    assert process.public.post("/live/Login", json={}).json()["access"] == "/live/Login"


def test_what_was_answered_is_there_after_a_kill(process: Process) -> None:
    process.start()
    ann = {"account": "ann", "phone": "13500000000", "password": "secret-1"}
    assert process.public.post("/live/Register", json=ann).json()["status"] == 10000
    process.child.kill()
    assert process.ended()[0] == -signal.SIGKILL
    process.public.close()
    process.public = process._client(process.settings.public_socket)
    process.start()
    assert process.public.post("/live/Login", json=ann).json()["status"] == 10000


def test_an_answer_under_way_is_given_before_the_end(process: Process) -> None:
    process.start()
    assert process.public.get("/readyz").status_code == 200
    content = b'{"account": "ann", "password": "secret-1"}'
    with socket.socket(socket.AF_UNIX) as slow:
        slow.settimeout(20)
        slow.connect(str(process.settings.public_socket))
        head = f"POST /live/Login HTTP/1.0\r\nContent-Length: {len(content)}\r\n\r\n"
        slow.sendall(head.encode() + content[:10])
        assert process.public.get("/healthz").status_code == 200  # so the one before has been taken too
        process.child.send_signal(signal.SIGTERM)
        slow.sendall(content[10:])
        assert slow.recv(65536).startswith(b"HTTP/1.1 200")
    assert process.ended()[0] == 0


def test_a_bad_setting_is_named_without_its_value(process: Process) -> None:
    process.start(QPLUS_HTTP_PORT="s3cret")
    assert process.ended() == (2, "qplus: QPLUS_HTTP_PORT: not a whole number\n")
