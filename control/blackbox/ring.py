"""Files of a bounded size in all, the oldest deleted first. Each is gzip and JSON, a line for each list of values, and
can be read without those before it."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import orjson

from control.blackbox.recorder import Line

BLACK_BOX = "black-box"  # the folder, in the data folder
FILES = 16  # that the whole is made of
ENDING = ".jsonl.gz"


class Ring:
    """`most`: bytes in all. Blocks."""

    def __init__(self, folder: Path, most: int) -> None:
        self._folder = folder
        self._most = most
        self._file: Path | None = None

    def is_full(self) -> bool:
        """Whether another file is to begin."""
        return self._file is None or not self._file.exists() or self._file.stat().st_size > self._most / FILES

    def begin(self, now: float) -> None:
        """Another file, which is named by the time; the oldest go. Raises OSError."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = self._folder / f"{now:017.6f}{ENDING}"
        self._file.touch(mode=0o600)
        old = files(self._folder)
        sizes = {file: file.stat().st_size for file in old}
        while len(old) > 1 and sum(sizes[file] for file in old) > self._most * (FILES - 1) / FILES:
            old.pop(0).unlink()

    def write(self, lines: Iterable[Line]) -> None:
        """Raises OSError."""
        assert self._file is not None
        packed = gzip.compress(b"".join(orjson.dumps(line) + b"\n" for line in lines), compresslevel=1)
        with self._file.open("ab") as file:
            file.write(packed)


def files(folder: Path) -> list[Path]:
    """The oldest first."""
    return sorted(folder.glob(f"*{ENDING}"))


def began(file: Path) -> float:
    """Seconds since the epoch."""
    return float(file.name.removesuffix(ENDING))


def read(file: Path) -> Iterator[Line]:
    """What was written; a piece at the end that was not written whole is left out."""
    with gzip.open(file) as lines:
        try:
            for line in lines:
                if line.endswith(b"\n"):
                    yield orjson.loads(line)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            return
