"""A real web nginx in front of a stand-in for control, which tells how a request came to it."""

from __future__ import annotations

import http.client
import json
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any

from control.settings import Settings
from tests.support.playlists import Verdicts, serving


class Echo(BaseHTTPRequestHandler):
    """Answers with the headers that came, and how much of a body."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        size = len(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        text = json.dumps({name.lower(): value for name, value in self.headers.items()} | {"size": size}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_POST = do_GET

    def address_string(self) -> str:
        return "nginx"

    def log_message(self, *_: object) -> None:
        pass


class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 2048  # as control has

    def handle_error(self, *_: object) -> None:
        """A client that went before its answer is none."""


@dataclass
class Front:
    settings: Settings
    verdicts: Verdicts

    def connection(self, source: str = "127.0.0.1") -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.settings.http_port, timeout=20, source_address=(source, 0))

    def ask(
        self, path: str, method: str = "POST", body: bytes | None = None, source: str = "127.0.0.1", **headers: str
    ) -> tuple[int, str, http.client.HTTPMessage]:
        """Underscores in names of headers are hyphens. A body is an empty object where none is given, and nothing with
        GET."""
        connection = self.connection(source)
        body = (b"" if method == "GET" else b"{}") if body is None else body
        try:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), answer.headers
        finally:
            connection.close()

    def seen(self, **headers: str) -> dict[str, Any]:
        """The headers that control gets of a request."""
        seen: dict[str, Any] = json.loads(self.ask("/live/Login", "POST", b"{}", "127.0.0.1", **headers)[1])
        return seen

    def raw(self, content: bytes, source: str = "127.0.0.1") -> socket.socket:
        """A connection on which this was sent."""
        opened = socket.create_connection(("127.0.0.1", self.settings.http_port), 20, (source, 0))
        opened.sendall(content)
        return opened


@contextmanager
def front(settings: Settings) -> Iterator[Front]:
    with Server(str(settings.public_socket), Echo) as control:
        settings.public_socket.chmod(0o666)
        threading.Thread(target=control.serve_forever, daemon=True).start()
        with serving(settings) as web:
            yield Front(settings, web.verdicts)
        control.shutdown()
