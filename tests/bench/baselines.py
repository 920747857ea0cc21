"""What the product is compared with: nginx from the product's own files, less what the product adds to them."""

from __future__ import annotations

import os
import re
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from control.settings import Settings
from control.supervisor import folders, nginx, ports
from tests.bench.processes import ENDPOINT, FRONT, started
from tests.e2e.ports import free_ports

MANY = 1_000_000
"""API requests a second for one address: the load comes from one."""
QUESTION = re.compile(r"^ *on_(?:publish|play|done|update|disconnect) .*\n", re.MULTILINE)
TO_CONTROL = re.compile(r"(on_(?:publish|play|done)) http://unix:[^;]+;")
YES = """
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr emerg;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} backlog=2048;
        listen unix:{socket} backlog=2048;
        error_page 400 =200 @yes;  # over a unix socket nginx-rtmp gives its path for a host, which is none

        location @yes {{
            return 200;
        }}

        location / {{
            return 200;
        }}
    }}
}}
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """Something that answers on a port."""

    port: int
    pid: int
    """Of the process whose work is counted."""


@dataclass(frozen=True, slots=True)
class Yes:
    """Something that says yes to every callback."""

    tcp: str
    """An address, as `unix` is one of the same over a unix socket, which is cheaper."""
    unix: str
    pid: int


@contextmanager
def rtmp(folder: Path, asking: str = "") -> Iterator[Asked]:
    """The product's rtmp nginx that asks nobody, or this address instead of control: for publish, play and done."""
    with _place(folder) as settings, ports.opened(settings) as opened:
        file = nginx.write_rtmp(settings, settings.workers[0], "bench", opened.of_worker(0))
        text = file.read_text()
        without = QUESTION.sub("", text) if not asking else TO_CONTROL.sub(rf"\1 {asking}/\1;", text)
        _rewrite(file, text, re.sub(r" *on_update .*\n", "", without))
        descriptors = [each.fileno() for each in opened.rtmp[0]]
        with started(nginx.command(file), FRONT, nginx.environment(opened.rtmp[0]), descriptors) as pid:
            yield Asked(settings.rtmp_port, pid)


@contextmanager
def yes(folder: Path) -> Iterator[Yes]:
    """The least that a callback can cost: an nginx that answers 200, on control's core."""
    folder.mkdir(parents=True)
    (port,) = free_ports(1)
    file, socket_file = folder / "yes.conf", folder / "yes.sock"
    file.write_text(YES.format(folder=folder, port=port, socket=socket_file))
    with started(nginx.command(file), ENDPOINT, nginx.environment()) as pid:
        yield Yes(f"http://127.0.0.1:{port}", f"http://unix:{socket_file}:", pid)


@contextmanager
def web(folder: Path, segments: Path) -> Iterator[Asked]:
    """The product's web nginx before a service that answers what it was sent, at /live/Echo; its HLS asks for no
    ticket, and playlists are files."""
    with _place(folder, str(segments)) as settings, ports.opened(settings) as opened:
        file = nginx.write_web(settings)
        text = file.read_text()
        without = re.sub(r" *if \(!-f [^}]*}\n", "", text)
        without = re.sub(r"alias \S+/lists/\S+;", f"alias {segments}/$room/index.m3u8;", without)
        _rewrite(file, text, without)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(settings.public_socket))
        settings.public_socket.chmod(0o777)
        listener.listen(2048)
        with listener:
            echo = [sys.executable, "-m", "tests.bench.echo", str(listener.fileno())]
            with started(echo, ENDPOINT, descriptors=[listener.fileno()]) as answering:
                descriptors = [each.fileno() for each in opened.web]
                with started(nginx.command(file), FRONT, nginx.environment(opened.web), descriptors):
                    yield Asked(settings.http_port, answering)


@contextmanager
def _place(folder: Path, segments: str = "") -> Iterator[Settings]:
    http, rtmp_port = free_ports(2)
    settings = Settings(
        data_dir=folder / "data",
        socket_dir=str(folder / "sockets"),
        http_port=http,
        rtmp_port=rtmp_port,
        guard="off",
        address_requests=MANY,
        hls_dir=segments,
    )
    folder.mkdir(parents=True)
    with folders.locked(settings):
        folders.prepare_sockets(settings)
        yield settings


def _rewrite(file: Path, known: str, text: str) -> None:
    """Raises ValueError where nothing is left out: the comparison would be with the product itself."""
    if text == known:
        raise ValueError(f"{file.name}: nothing to leave out")
    # The folders are this user's: nginx's own would not get to them.
    file.write_text(f"user root;\n{text}" if os.geteuid() == 0 else text)
