"""Asks the control of this node how it is, over its internal socket: for health checks, which are processes too."""

from __future__ import annotations

import http.client
import socket
from contextlib import closing
from pathlib import Path

from control.settings import Settings

TIMEOUT = 2.0  # seconds


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("control", timeout=TIMEOUT)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(TIMEOUT)
        self.sock.connect(str(self._path))


def problem(internal: Path, path: str = "/readyz") -> str:
    """What keeps control from being ready, or with `/healthz` from answering at all; empty when nothing does."""
    with closing(_UnixConnection(internal)) as connection:
        try:
            connection.request("GET", path)
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            return f"{internal}: {error}"
    return "" if status == 200 else f"{internal}: {path} answers {status}"


def web_problem(settings: Settings) -> str:
    """What keeps the web nginx of this machine from answering; empty when nothing does."""
    port = settings.http_port
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)) as connection:
        try:
            connection.connect()
            if settings.proxy_protocol == "on":
                connection.sock.sendall(b"PROXY UNKNOWN\r\n")
            connection.request("GET", "/alive")
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            return f"/alive on port {port}: {error}"
    return "" if status == 204 else f"/alive on port {port} answers {status}"
