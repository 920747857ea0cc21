"""A copy of all data in one file, made while the node works, and put back with nothing lost on the way.

The file is a tar archive: what it holds as JSON, the data as an SQLite file whichever database they come from, and the
keys, where they are wanted in it.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import sqlite3
import tarfile
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast

import sqlalchemy as sa

from control import __version__
from control.storage import integrity, migrate, move
from control.storage.engine import engine_of
from control.storage.tables import metadata

FORMAT = 1
CONTENTS, DATA = "backup.json", "qplus.db"
KEYS = ("keys/tickets", "keys/rooms")
LONGEST_TEXT = 2**20  # bytes of what is no data
CHUNK = 2**20  # bytes


class BackupError(Exception):
    """Nothing was written or put back; the message tells a person why."""


@dataclass(frozen=True, kw_only=True)
class Contents:
    made_at: float
    """Seconds since the epoch."""
    release: str
    rows: Mapping[str, int]
    """By table."""
    digests: Mapping[str, str]
    """SHA-256 of each member."""
    format: int = field(default=FORMAT)


def make(url: str, keys: Path | None, target: Path) -> Contents:
    """Writes `target`, for its owner alone; `keys`: the folder of those that go in too. Blocks. Raises BackupError,
    Unreachable."""
    if target.exists():
        raise BackupError(f"{target} is there already")
    try:
        with _beside(target) as folder:
            members = {DATA: folder / DATA}
            _copy(url, members[DATA])
            if keys is not None:
                members |= {name: _existing(keys.parent / name) for name in KEYS}
            contents = Contents(
                made_at=round(time.time(), 3),
                release=__version__,
                rows=_rows(members[DATA]),
                digests={name: _digest(path) for name, path in members.items()},
            )
            part = folder / target.name
            _pack(part, contents, members)
            os.link(part, target)  # fails where another has made it meanwhile
    except (OSError, sqlite3.Error) as failure:
        raise BackupError(f"{target}: {getattr(failure, 'strerror', None) or failure}") from None
    return contents


def unpacked(source: Path, folder: Path) -> Contents:
    """Unpacks it into an empty folder, and sees that it is whole: each member, the database file and the number of rows
    of each table. Blocks. Raises BackupError."""
    try:
        with tarfile.open(source) as archive:
            contents = _contents(archive)
            for name in contents.digests:
                path = folder / name
                path.parent.mkdir(mode=0o700, exist_ok=True)
                with _new(path) as file:
                    member = archive.extractfile(name)
                    while member and (chunk := member.read(CHUNK)):
                        file.write(chunk)
    except (tarfile.TarError, KeyError, ValueError, TypeError, EOFError) as failure:
        raise BackupError(f"{source} is no backup of ours, or damaged ({failure})") from None
    except OSError as failure:
        raise BackupError(f"{source}: {failure.strerror or failure}") from None
    for name, digest in contents.digests.items():
        if _digest(folder / name) != digest:
            raise BackupError(f"{source} is damaged: {name} is not what was written")
    if found := integrity.damage(folder / DATA):
        raise BackupError(f"{source} holds a damaged database ({found})")
    if _rows(folder / DATA) != contents.rows:
        raise BackupError(f"{source} has not as many rows as were written")
    return contents


def put_back(folder: Path, url: str) -> None:
    """What was unpacked there, into a database that has nothing. Nobody else may use that meanwhile. Blocks. Raises
    BackupError, Unreachable."""
    path = integrity.file_of(url)
    if path is None:
        source = f"sqlite:///{folder / DATA}"
        migrate.upgrade(source)
        try:
            move.move(source, url, lambda said: None)
        except move.MoveError as failure:
            raise BackupError(str(failure)) from None
        return
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in (f"{path.name}-wal", f"{path.name}-shm"):
            path.with_name(name).unlink(missing_ok=True)
        with _beside(path) as near:
            _duplicate(folder / DATA, near / DATA)
            os.link(near / DATA, path)
        _sync(path.parent)
    except FileExistsError:
        raise BackupError(f"{path} is there already") from None
    except OSError as failure:
        raise BackupError(f"{path}: {failure.strerror or failure}") from None


def _copy(url: str, target: Path) -> None:
    """One moment of the database, as SQLite's file."""
    source = integrity.file_of(url)
    os.close(os.open(target, os.O_CREAT | os.O_EXCL, 0o600))
    if source is not None:
        if not source.exists():
            raise BackupError(f"there is no database {source}")
        with closing(sqlite3.connect(source)) as here, closing(sqlite3.connect(target)) as there:
            here.backup(there)
            there.execute("PRAGMA journal_mode=DELETE")  # one file, whatever becomes of it
        if found := integrity.damage(target):
            raise BackupError(f"the database {source} is damaged ({found})")
        return
    copy = f"sqlite:///{target}"
    migrate.upgrade(copy)
    try:
        engine_of(url).snapshot(url, lambda here: move.filled(here, copy))
    except move.MoveError as failure:
        raise BackupError(str(failure)) from None
    with closing(sqlite3.connect(target)) as there:
        there.execute("PRAGMA journal_mode=DELETE")
    target.with_name(f"{DATA}.lock").unlink(missing_ok=True)


def _rows(file: Path) -> dict[str, int]:
    """Of each table that is there: an older release has fewer."""
    with closing(sqlite3.connect(file)) as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        count = sa.select(sa.func.count())
        return {
            table.name: connection.execute(str(count.select_from(table))).fetchone()[0]
            for table in metadata.sorted_tables
            if table.name in names
        }


def _pack(file: Path, contents: Contents, members: Mapping[str, Path]) -> None:
    mode = "w:gz" if file.suffix == ".gz" else "w"
    with _new(file) as out:
        with tarfile.open(fileobj=out, mode=cast(Any, mode)) as archive:
            told = json.dumps(asdict(contents)).encode()
            archive.addfile(_named(CONTENTS, len(told)), io.BytesIO(told))
            for name, path in members.items():
                with path.open("rb") as member:
                    archive.addfile(_named(name, path.stat().st_size), member)
        out.flush()
        os.fsync(out.fileno())


def _named(name: str, size: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = size, 0o600, int(time.time())
    return info


def _contents(archive: tarfile.TarFile) -> Contents:
    """Raises what a file has that is none of ours."""
    member = archive.extractfile(CONTENTS)
    told = json.loads(member.read(LONGEST_TEXT)) if member else {}
    contents = Contents(**told)
    if contents.format != FORMAT:
        raise ValueError(f"format {contents.format}: of a later release")
    if set(contents.digests) - {DATA, *KEYS} or DATA not in contents.digests:
        raise ValueError("other members than a backup's")
    return contents


def _existing(path: Path) -> Path:
    if not path.exists():
        raise BackupError(f"there is no {path}")
    return path


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _duplicate(source: Path, target: Path) -> None:
    with (
        source.open("rb") as data,
        os.fdopen(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as out,
    ):
        while chunk := data.read(CHUNK):
            out.write(chunk)
        out.flush()
        os.fsync(out.fileno())


def _new(file: Path) -> BinaryIO:
    """For its owner alone."""
    return os.fdopen(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb")


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    with suppress(OSError):
        os.fsync(descriptor)
    os.close(descriptor)


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A folder on the same disk, for its owner alone, that is gone at the end."""
    with tempfile.TemporaryDirectory(prefix=".qplus-", dir=path.absolute().parent) as made:
        yield Path(made)
