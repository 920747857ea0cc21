"""A PostgreSQL of the tests' own, on a port of its own, which a power cut could ruin."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.ports import free_ports

FAST = (
    "fsync=off",
    "full_page_writes=off",
    "max_connections=200",
)


EMPTY = """
DO $$ DECLARE each record; BEGIN
  SET LOCAL session_replication_role = replica;
  FOR each IN SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
    AND relname <> 'alembic_version' LOOP EXECUTE format('DELETE FROM %I', each.relname); END LOOP;
  FOR each IN SELECT relname FROM pg_class WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace LOOP
    EXECUTE format('ALTER SEQUENCE %I RESTART', each.relname); END LOOP;
END $$"""


DONE = "emptied"


class Postgres:
    """A server; `command` starts it."""

    def __init__(self, host: str, port: int, command: list[str], folder: Path) -> None:
        self._host = host
        self._port = port
        self._command = command
        self._folder = folder
        self._number = itertools.count()
        self._emptying: subprocess.Popen[str] | None = None
        """Which stays, as it is asked before each test."""

    def start(self) -> None:
        """Returns once it answers."""
        with (self._folder / "log").open("ab") as log:
            self._server = subprocess.Popen(self._command, stdout=log, stderr=log, cwd=self._folder)
        ready = [program("pg_isready"), "-q", "-h", self._host, "-p", str(self._port)]
        while subprocess.run(ready).returncode:
            assert self._server.poll() is None, (self._folder / "log").read_text()

    def stop(self) -> None:
        """At once, with whoever is connected put out."""
        if self._emptying is not None:
            self._emptying.communicate()
            self._emptying = None
        self._server.send_signal(signal.SIGQUIT)
        self._server.send_signal(signal.SIGCONT)  # or one that is paused hears nothing
        self._server.wait(20)

    def pause(self) -> None:
        """It takes connections and bytes, and answers nothing: as a server whose disk hangs."""
        for pid in self._processes():
            os.kill(pid, signal.SIGSTOP)

    def resume(self) -> None:
        for pid in self._processes():
            os.kill(pid, signal.SIGCONT)

    def _processes(self) -> list[int]:
        """The server's, which starts the others, before those."""
        main = self._server.pid
        children = Path(f"/proc/{main}/task/{main}/children").read_text()
        return [main, *map(int, children.split())]

    def url(self, name: str) -> str:
        return f"postgresql://qplus@{self._host}:{self._port}/{name}"

    def made(self) -> str:
        """A new database's URL."""
        name = f"d{next(self._number)}"
        self.run(f"CREATE DATABASE {name}")
        return self.url(name)

    def empty(self, url: str) -> None:
        """As it is after the migrations; to make another one takes longer. Always the same one."""
        if self._emptying is None:
            self._emptying = subprocess.Popen(psql(url), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        asked, answers = self._emptying.stdin, self._emptying.stdout
        assert asked is not None and answers is not None
        asked.write(f"{EMPTY};\n\\echo {DONE}\n")
        asked.flush()
        assert answers.readline() == f"{DONE}\n", "the database could not be emptied"

    def run(self, sql: str, database: str = "postgres") -> str:
        return subprocess.run(psql(self.url(database), "-c", sql), check=True, capture_output=True, text=True).stdout


def program(name: str) -> str:
    found = shutil.which(name) or next(iter(sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))), None)
    assert found is not None, "PostgreSQL is not installed: make tools"
    return str(found)


def psql(url: str, *options: str) -> list[str]:
    return [program("psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", *options, url]


@contextmanager
def served(folder: Path, host: str = "127.0.0.1", keeps: bool = False) -> Iterator[Postgres]:
    """A server with its files in `folder`, which is new. `keeps`: what was committed is there after `stop`."""
    folder.mkdir(mode=0o700)
    as_user: list[str] = []
    if os.geteuid() == 0:  # which it refuses to run as
        shutil.chown(folder, "postgres", "postgres")
        as_user = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups"]
    data, [port] = folder / "data", free_ports(1)
    initdb = [program("initdb"), "-D", str(data), "-U", "qplus", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
    subprocess.run([*as_user, *initdb], check=True, capture_output=True, cwd=folder)
    options = [
        part
        for option in (
            *FAST,
            f"synchronous_commit={'on' if keeps else 'off'}",
            f"listen_addresses={host}",
            f"port={port}",
            f"unix_socket_directories={folder}",
        )
        for part in ("-c", option)
    ]
    postgres = [program("postgres"), "-D", str(data), *options]
    with (data / "pg_hba.conf").open("a") as allowed:
        print("host all all samenet trust", file=allowed)
    server = Postgres(host, port, [*as_user, "setpriv", "--pdeathsig", "QUIT", *postgres], folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()
