"""Whether the database is what it was: at start, and from time to time while it is used."""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from control.storage.engine import engine_of
from control.storage.tables import rooms

SPARE = 128 * 2**10  # bytes that have to fit on the disk beside the database
SAMPLES = 100  # rooms whose passwords are tried before anything else is done
LARGE = 256 * 2**20  # bytes of a file that is not read through at every start: that would take seconds
WAY_BACK = "Put a backup in its place and start again: docs/operations.md, Backup"


class Unusable(Exception):
    """A database, or a key to it, with which no control can work; the message tells a person what to do."""


def require(url: str, marker: Path) -> None:
    """To be called before a database is opened. Raises Unusable for a damaged file, and for none or an empty one where
    `marker` says that there was one."""
    path = file_of(url)
    if path is None:
        return
    if _is_empty(path):
        if marker.exists():
            anew = f"or remove {marker} to begin with nothing"
            raise Unusable(f"the database {path} is gone or empty. {WAY_BACK}; {anew}")
        return
    small = path.stat().st_size < LARGE
    if found := damage(path, whole=small):
        raise Unusable(f"the database {path} is damaged ({found}). {WAY_BACK}")


def remember(marker: Path) -> None:
    """From now on an empty database is not a new one."""
    if not marker.exists():
        marker.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        marker.touch(0o600)


def damage(path: Path, whole: bool = True) -> str:
    """What is wrong with a database's file; "" for nothing that is found. Blocks; reads all of it if `whole`."""
    try:
        with closing(sqlite3.connect(path, timeout=5)) as connection:
            if not whole:
                connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
                return ""
            [found] = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError:
        return ""  # locked, or the disk is full: no damage
    except sqlite3.DatabaseError as error:
        return str(error)
    return "" if found == "ok" else " ".join(str(found).split())


def lack_of_space(folder: Path) -> str:
    """Why nothing more could be written there; "" where something could. Blocks."""
    probe = folder / ".space"
    try:
        with probe.open("wb", buffering=0) as file:
            os.posix_fallocate(file.fileno(), 0, SPARE)
    except OSError as error:
        return "the disk is full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else f"{folder}: {error.strerror}"
    finally:
        with suppress(OSError):
            probe.unlink()
    return ""


def sealed_samples(url: str) -> list[dict[str, Any]]:
    """The passwords of some rooms as a key has sealed them, and their owners. Blocks."""
    path = file_of(url)
    if path is not None and _is_empty(path):
        return []
    return engine_of(url).migrating(url, samples)


def samples(connection: sa.Connection) -> list[dict[str, Any]]:
    """Likewise, over a connection."""
    names = ("owner_id", "anchor_password", "assist_password", "user_password")
    sealed = sa.select(*rooms.c[names]).where(rooms.c.anchor_password.startswith("$")).limit(SAMPLES)
    if not sa.inspect(connection).has_table(rooms.name):
        return []
    return [dict(row) for row in connection.execute(sealed).mappings()]


def file_of(url: str) -> Path | None:
    """The file that a database URL means; None for a server's."""
    parts = sa.make_url(url)
    return Path(parts.database) if parts.get_backend_name() == "sqlite" and parts.database else None


def _is_empty(path: Path) -> bool:
    return not path.exists() or path.stat().st_size == 0
