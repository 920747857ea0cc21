"""A real web nginx over HLS files made by hand; a stand-in gives the verdicts."""

from __future__ import annotations

import http.client
import itertools
import re
import socket
import socketserver
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from control.settings import Settings
from control.supervisor import folders, nginx
from tests.support import alone

AUDIO, VIDEO, PMT = 0x101, 0x100, 0x1001
START = 1_800_000_000_000  # the name of the first segment
LONGEST = 20  # segments that nginx-rtmp lists


def packets(*ids: int) -> bytes:
    return b"".join(bytes([0x47, 0x40 | each >> 8, each & 0xFF, 0x10]) + bytes(184) for each in ids)


HEAD = packets(0, PMT)
SOUND = HEAD + packets(*[AUDIO] * 50)
PICTURE = HEAD + packets(*[AUDIO] * 3, *[VIDEO] * 40)
LATE = SOUND + packets(VIDEO)


class Verdicts(socketserver.ThreadingUnixStreamServer):
    """Control, as far as the web nginx asks it here: those whose tickets it has are let in."""

    daemon_threads = True
    request_queue_size = 512

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), Verdict)
        self.of_tickets: dict[str, dict[str, str]] = {}
        self.networks: list[str] = []
        """Of those who asked, one for each question."""


class Verdict(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Verdicts)
        self.server.networks.append(self.headers["X-Network"])
        told = self.server.of_tickets.get(parse_qs(urlsplit(self.path).query)["ticket"][0])
        self.send_response(403 if told is None else 204)
        for name, value in ({"Cache-Control": "no-store"} if told is None else told).items():
            self.send_header(name, value)
        self.end_headers()

    def address_string(self) -> str:
        return "nginx"

    def log_message(self, *_: object) -> None:
        pass


@dataclass
class Web:
    settings: Settings
    verdicts: Verdicts
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def get(self, path: str) -> tuple[int, str, http.client.HTTPMessage]:
        connection = http.client.HTTPConnection("127.0.0.1", self.settings.http_port, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), answer.headers
        finally:
            connection.close()

    def room(self) -> Room:
        number = next(self.numbers)
        folder = folders.hls(self.settings) / str(number)
        folder.mkdir()
        return Room(self, number, folder)


@dataclass
class Room:
    """A room's folder, written as the rtmp nginx does."""

    web: Web
    id: int
    folder: Path
    written: list[tuple[int, float, bool]] = field(default_factory=list)

    def write(self, *kinds: bytes | None, seconds: float = 1.0, parted: bool = False) -> list[int]:
        """More segments, of which None has no file any more; the first is the first of a new publisher if `parted`."""
        names = []
        for kind in kinds:
            name = self.written[-1][0] + 1000 if self.written else START
            self.written.append((name, seconds, parted))
            parted = False
            names.append(name)
            if kind is not None:
                (self.folder / f"{name}.ts").write_bytes(kind)
        self.put(self.playlist())
        return names

    def playlist(self) -> str:
        number = max(0, len(self.written) - LONGEST)
        lines = ["#EXTM3U", "#EXT-X-VERSION:3", f"#EXT-X-MEDIA-SEQUENCE:{number}", "#EXT-X-TARGETDURATION:2"]
        for name, seconds, parted in self.written[number:]:
            lines += ["#EXT-X-DISCONTINUITY"] * parted + [f"#EXTINF:{seconds:.3f},", f"{name}.ts"]
        return "\n".join(lines) + "\n"

    def put(self, text: str) -> None:
        new = self.folder / "index.m3u8.new"
        new.write_text(text)
        new.replace(self.folder / "index.m3u8")

    def ask(
        self, since: int = 0, sound_alone_at: int | None = None, ticket: str = ""
    ) -> tuple[int, str, http.client.HTTPMessage]:
        """As a viewer whose verdict says this; another one each time, unless there is a `ticket`."""
        ticket = ticket or f"t{next(self.web.numbers)}"
        told = {"X-Since": str(since)} | ({"X-Sound-Alone-At": str(sound_alone_at)} if sound_alone_at else {})
        self.web.verdicts.of_tickets[ticket] = told
        return self.web.get(f"/hls/{ticket}/{self.id}/index.m3u8")

    def keep(self, ticket: str, since: int = 0) -> None:
        """Has it let in without a question, as control does."""
        folder = self.web.settings.verdict_dir
        folder.mkdir(exist_ok=True)
        (folder / str(self.id)).write_text(f"{since} 0")
        (folder / f"{self.id}.{ticket}").touch()

    def listed(self, since: int = 0, sound_alone_at: int | None = None) -> list[int]:
        """The names of the segments."""
        status, text, _ = self.ask(since, sound_alone_at)
        assert status in (200, 404)
        return [int(name) for name in re.findall(r"^(\d+)\.ts$", text, re.MULTILINE)] if status == 200 else []


@contextmanager
def serving(settings: Settings) -> Iterator[Web]:
    with Verdicts(settings.internal_socket) as verdicts:
        settings.internal_socket.chmod(0o666)
        threading.Thread(target=verdicts.serve_forever, daemon=True).start()
        process = subprocess.Popen(alone.command(nginx.write_web(settings)), env=nginx.environment())
        try:
            deadline = time.monotonic() + 10
            while not connects(settings.http_port):
                assert process.poll() is None and time.monotonic() < deadline
                time.sleep(0.01)
            yield Web(settings, verdicts)
        finally:
            process.terminate()
            process.wait(10)
            verdicts.shutdown()


def connects(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
