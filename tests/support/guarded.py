"""A real guard; what is behind it takes everything down, and answers what a test tells it to."""

from __future__ import annotations

import re
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from control.settings import Settings
from control.supervisor import folders, nginx
from tests.e2e.ports import free_ports
from tests.rtmp import amf
from tests.rtmp.chunks import COMMAND, SET_CHUNK_SIZE, Message, Writer
from tests.support import alone

GREETING = b"\x03" + bytes(3072)
LET_IN = amf.encode("onStatus", 0, None, {"level": "status", "code": "NetStream.Publish.Start"})
WITHIN = 5.0  # seconds


def command(name: str, *values: amf.Value, stream: int = 0) -> Message:
    return Message(COMMAND, 0, amf.encode(name, 1, *values), stream)


CONNECT = command("connect", {"app": "live", "flashVer": "test", "tcUrl": "rtmp://h/live"})
CREATE = command("createStream", None)
PUBLISH = command("publish", None, "1?pwd=x", "live", stream=1)
PLAY = command("play", None, "1?pwd=x", -2.0, stream=1)
CHUNK_SIZE = Message(SET_CHUNK_SIZE, 0, (4096).to_bytes(4, "big"))
# Sent on a chunk stream of its own each.
ON = {COMMAND: 3, SET_CHUNK_SIZE: 2}


def wire(*messages: Message) -> bytes:
    """What a client sends, greeting and all."""
    writer = Writer()
    return GREETING + b"".join(writer.encode(each, ON.get(each.type, 4)) for each in messages)


class Behind(threading.Thread):
    """One connection from the guard, as nginx-rtmp sees it."""

    def __init__(self, connection: socket.socket) -> None:
        super().__init__(daemon=True)
        self.connection = connection
        self.heard = b""
        self.ended = threading.Event()
        self.start()

    @property
    def client(self) -> str:
        """The address of the client, as the guard tells it."""
        return self.heard.split(b" ")[2].decode()

    @property
    def said(self) -> bytes:
        """By the client."""
        return self.heard.partition(b"\r\n")[2]

    def run(self) -> None:
        with suppress(OSError):
            while data := self.connection.recv(65536):
                self.heard += data
        self.ended.set()

    def wait_for(self, size: int) -> bytes:
        deadline = time.monotonic() + WITHIN
        while len(self.said) < size:
            assert time.monotonic() < deadline and not self.ended.is_set(), f"{len(self.said)} of {size} bytes"
            time.sleep(0.005)
        return self.said


@dataclass
class Guarded:
    port: int
    backend: socket.socket
    encoders: Path
    opened: list[socket.socket] = field(default_factory=list)

    def connect(self, host: str = "127.0.0.1") -> tuple[socket.socket, Behind]:
        client = socket.create_connection((host, self.port), timeout=WITHIN)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection, _ = self.backend.accept()
        self.opened += [client, connection]
        return client, Behind(connection)

    def encoder(self, room: int, within: float = WITHIN) -> str | None:
        """What the guard says encodes a room's stream."""
        file, deadline = self.encoders / str(room), time.monotonic() + within
        while not (file.exists() and file.stat().st_size):
            if time.monotonic() >= deadline:
                return None
            time.sleep(0.005)
        return file.read_text()

    def close(self) -> None:
        for file in self.encoders.iterdir():
            file.unlink()
        while self.opened:
            self.opened.pop().close()


def is_closed(client: socket.socket) -> bool:
    """Whether the guard ends the connection; False as soon as something else comes, or nothing within a time."""
    try:
        return client.recv(1) == b""
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False


@contextmanager
def guarding(constants: Mapping[str, float] | None = None, **more: Any) -> Iterator[Guarded]:
    """`constants` of the script that a test cannot wait for."""
    # Not below tmp_path, whose name may be too long for a socket's.
    with tempfile.TemporaryDirectory(prefix="qplus-") as short, socket.create_server(("127.0.0.1", 0)) as backend:
        backend.settimeout(WITHIN)
        settings = Settings(
            data_dir=Path(short) / "data", socket_dir=f"{short}/sockets", rtmp_port=free_ports(1)[0], **more
        )
        Path(short).chmod(0o711)  # nginx's workers are another user
        with folders.locked(settings):
            folders.prepare_sockets(settings)
            file = nginx.write_guard(settings, [backend.getsockname()[1]])
            settings.encoder_dir.mkdir()
            settings.encoder_dir.chmod(0o777)
            for folder in (settings.data_dir, settings.run_dir):
                folder.chmod(0o711)
            script = settings.run_dir / nginx.GUARD_SCRIPT
            for name, value in (constants or {}).items():
                text, found = re.subn(rf"(?<=const {name} = )[\d.]+", str(value), script.read_text())
                assert found == 1
                folders.replace(script, text)
            with started(file, settings.rtmp_port):
                if settings.rtmp_proxy_protocol == "off":
                    backend.accept()[0].close()  # of the look whether it listens
                guarded = Guarded(settings.rtmp_port, backend, settings.encoder_dir)
                try:
                    yield guarded
                finally:
                    guarded.close()


@contextmanager
def started(file: Path, port: int) -> Iterator[None]:
    process = subprocess.Popen(alone.command(file), env=nginx.environment())
    try:
        until = time.monotonic() + 10
        while not connects(port):
            assert process.poll() is None and time.monotonic() < until
            time.sleep(0.01)
        yield
    finally:
        process.terminate()
        process.wait(10)


def connects(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
