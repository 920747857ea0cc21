"""Values of settings: what each may be, and how it is read from its variable."""

from __future__ import annotations

import ipaddress
from dataclasses import Field, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PREFIX = "QPLUS_"
LIMITS = ("viewers", "kbps", "height", "hours", "node-rooms", "node-viewers")


class SettingError(ValueError):
    """A variable that is unknown, or whose value cannot be used; the message names it, never its value."""


def setting(
    default: Any, text: str, *, low: int | None = None, high: int | None = None, choices: tuple[str, ...] = ()
) -> Any:
    return field(default=default, metadata={"text": text, "low": low, "high": high, "choices": choices})


def limits(text: str) -> dict[str, int]:
    """`name=number`, with commas between. Raises SettingError for a name that is none, or what is no number."""
    found = {}
    for each in filter(None, (each.strip() for each in text.split(","))):
        name, _, number = each.partition("=")
        if name not in LIMITS or not (number.isascii() and number.isdigit() and len(number) < 10):
            raise SettingError(f"{PREFIX}LIMITS: {', '.join(f'{known}=number' for known in LIMITS)}")
        found[name] = int(number)
    return found


def is_database(url: str) -> bool:
    try:
        return url.startswith("sqlite:") or (url.startswith("postgresql://") and urlsplit(url).port != 0)
    except ValueError:
        return False  # the port is none


def is_address(text: str) -> bool:
    return "/" not in text and is_network(text)


def is_network(text: str) -> bool:
    """Or an address."""
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return True


def read(item: Field[Any], text: str) -> Any:
    if isinstance(item.default, int):
        try:
            return int(text)
        except ValueError:
            raise SettingError(f"{PREFIX}{item.name.upper()}: not a whole number") from None
    return type(item.default)(text) if isinstance(item.default, str) else Path(text)


def check(item: Field[Any], value: Any) -> None:
    if item.name == "limits":
        limits(value)
    low, high, choices = item.metadata["low"], item.metadata["high"], item.metadata["choices"]
    if low is not None and value < low:
        raise SettingError(f"{PREFIX}{item.name.upper()}: at least {low}")
    if high is not None and value > high:
        raise SettingError(f"{PREFIX}{item.name.upper()}: at most {high}")
    if choices and value not in choices:
        raise SettingError(f"{PREFIX}{item.name.upper()}: one of {', '.join(choices)}")
