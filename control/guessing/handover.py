"""Hands what was guessed on to the next control, in a file: a restart is no second chance.

The file has no password, code, ticket or session id in it: numbers of users and rooms, addresses, counts and times.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
import structlog

from control.clock import Clock
from control.entropy import Entropy
from control.guessing.guesses import Guesses, Secret
from control.settings import Settings

HAND_OVER_EVERY = 10.0  # seconds between two writes of what was guessed
LONGEST_FILE = 32 * 2**20  # bytes
MOST_ENTRIES = 100_000  # of one window
PIECE = 1000  # keys that are read at a time

log = structlog.get_logger()


def taken_over(settings: Settings, clock: Clock, entropy: Entropy) -> tuple[Guesses, Handover]:
    """Limits that begin where the control before left off, and what hands them on."""
    guesses = Guesses(clock, entropy, settings.guess_limit)
    handover = Handover(guesses, settings.data_dir / "guesses.json", clock)
    handover.load()
    return guesses, handover


class Handover:
    def __init__(self, guesses: Guesses, path: Path, clock: Clock) -> None:
        self._guesses = guesses
        self._path = path
        self._clock = clock
        self._written: bytes | None = None

    def load(self) -> None:
        """What the control before left. A file that is damaged is left aside."""
        try:
            if self._path.stat().st_size > LONGEST_FILE:
                raise ValueError("too long")
            windows, known = _read(self._path.read_bytes(), self._clock.now())
        except FileNotFoundError:
            return
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as failure:
            log.warning("guesses not taken over", failure=type(failure).__name__)
            return
        for name, rows in windows.items():
            if name in self._guesses.windows:
                self._guesses.windows[name].load(rows)
        for secret, ages in known.items():
            self._guesses.known[secret].load(ages)

    async def save(self) -> None:
        """Where nothing was guessed since the last time, nothing is written."""
        content = {
            "windows": {name: await self._rounded(windows.rows()) for name, windows in self._guesses.windows.items()},
            "known": {secret.value: await self._rounded(each.rows()) for secret, each in self._guesses.known.items()},
        }
        await asyncio.to_thread(self._write, content)

    async def _rounded(self, rows: Iterator[Any]) -> orjson.Fragment:
        """As JSON, a piece at a time, so that others get their turn: all at once takes 34 ms where there are very many.
        Times are seconds since the epoch: they are the same at every save."""
        now, pieces = self._clock.now(), list[bytes]()
        while piece := [[key, round(now - age), *count] for key, age, *count in islice(rows, PIECE)]:
            pieces.append(orjson.dumps(piece)[1:-1])
            await asyncio.sleep(0)
        return orjson.Fragment(b"[%b]" % b",".join(pieces))

    def _write(self, content: dict[str, Any]) -> None:
        text = orjson.dumps(content)
        if text == self._written:
            return
        part = self._path.with_suffix(".part")
        with open(os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
            file.write(text)
        part.rename(self._path)
        self._written = text


def _read(
    text: bytes, now: float
) -> tuple[dict[str, list[tuple[str, float, int]]], dict[Secret, list[tuple[str, float]]]]:
    """The rows of each window and of each kind of secret. Raises ValueError, TypeError, KeyError or AttributeError."""
    content = orjson.loads(text)
    windows = {
        str(name): [(_key(key), max(0.0, now - float(at)), min(int(count), MOST_ENTRIES)) for key, at, count in rows]
        for name, rows in content["windows"].items()
    }
    known = {
        Secret(name): [(_key(key), max(0.0, now - float(at))) for key, at in rows]
        for name, rows in content["known"].items()
    }
    return windows, known


def _key(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("a key is text")
    return value
