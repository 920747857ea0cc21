"""Log lines: one event a line, on stderr, structured; no password, ticket or session id is ever a value in one."""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from typing import TextIO, cast

import structlog

from control.settings import Settings


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


def configure(settings: Settings) -> None:
    level = getattr(logging, settings.log_level.upper())
    shape: structlog.typing.Processor
    if settings.log_format == "json":
        shape = structlog.processors.JSONRenderer(ensure_ascii=False)
    else:
        shape = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    told: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        # dict_tracebacks and the console's rich frames print local variables, and those hold secrets.
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, *told, shape],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, LossyStream(sys.stderr))),
        cache_logger_on_first_use=False,
    )
    libraries = logging.StreamHandler(sys.stderr)
    libraries.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=told, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, shape]
        )
    )
    logging.basicConfig(handlers=[libraries], level=max(level, logging.WARNING), force=True)
