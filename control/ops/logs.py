"""Log lines: one event a line, on stderr, structured; no password, ticket or session id is ever a value in one.

What clients send stands in them, and terminals and viewers act on some characters: those are written as escapes.
"""

from __future__ import annotations

import logging
import re
import sys
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from typing import TextIO, cast

import structlog

from control.ops.floods import floods
from control.settings import Settings

Processor = structlog.typing.Processor
# Controls, of which C1 ones act like ESC; what turns the direction of text or is not seen; separators of lines.
_ACTING = ("Cc", "Cf", "Zl", "Zp", "Cs")
_PLAIN = re.compile(r"[ -~]*")


class LossyStream:
    """A stream that raises nothing: a line lost on a full disk or a closed pipe refuses no client and ends no
    loop."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        with suppress(OSError):
            self._stream.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()


def escaped(text: str, but: str = "") -> str:
    """The text with what a terminal would act on as JSON's escapes, but for the characters of `but`."""
    if _PLAIN.fullmatch(text):
        return text
    return "".join(sign if sign in but or unicodedata.category(sign) not in _ACTING else _escape(sign) for sign in text)


def _escape(sign: str) -> str:
    units = sign.encode("utf-16-be", "replace" if unicodedata.category(sign) == "Cs" else "strict")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def _json(logger: object, method: str, event: structlog.typing.EventDict) -> str:
    return escaped(structlog.processors.JSONRenderer(ensure_ascii=False)(logger, method, event))  # type: ignore


def _escaped_values(logger: object, method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return {
        name: escaped(value, but="\n" if name == "exception" else "") if isinstance(value, str) else value
        for name, value in event.items()
    }


_level = logging.INFO


def tells_all() -> bool:
    """Whether `debug` lines are written: where there are very many, to ask this costs less than to say them."""
    return _level <= logging.DEBUG


def configure(settings: Settings, also: Sequence[Processor] = ()) -> None:
    """`also` see each event before it becomes a line."""
    global _level
    level = _level = getattr(logging, settings.log_level.upper())
    shape: list[Processor]
    if settings.log_format == "json":
        shape = [_json]
    else:
        shape = [_escaped_values, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
    told: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        # dict_tracebacks and the console's rich frames print local variables, and those hold secrets.
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, floods, *told, *also, *shape],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, LossyStream(sys.stderr))),
        cache_logger_on_first_use=False,
    )
    libraries = logging.StreamHandler(sys.stderr)
    libraries.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=told, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *shape]
        )
    )
    logging.basicConfig(handlers=[libraries], level=max(level, logging.WARNING), force=True)
