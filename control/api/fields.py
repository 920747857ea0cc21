"""A request's fields, as shipped apps send them: a number may be a decimal string, null is a field left out."""

from __future__ import annotations

import re
from typing import Any

import orjson

from control.refusals import BadParameter

_BOM = b"\xef\xbb\xbf"
LARGE = 64 * 2**10  # bytes; what is larger holds a picture: one long text among a few fields
_SEPARATORS = (b",", b"[", b"{")  # as many values as these, at most; millions would hold the event loop for seconds
MOST_SEPARATORS, MOST_IN_LARGE = 5000, 100  # a room's texts may hold 2400 commas
_DECIMAL = re.compile(r"-?\d{1,18}", re.ASCII)
FAR = 10**18  # numbers further from 0 are taken for this: no id, count or time is


class Fields:
    def __init__(self, body: bytes) -> None:
        """Raises BadParameter unless the body is a JSON object."""
        if sum(map(body.count, _SEPARATORS)) > (MOST_IN_LARGE if len(body) > LARGE else MOST_SEPARATORS):
            raise BadParameter("JSON")
        try:
            values = orjson.loads(body.removeprefix(_BOM))
        except orjson.JSONDecodeError:
            raise BadParameter("JSON") from None
        if not isinstance(values, dict):
            raise BadParameter("JSON")
        self._values: dict[str, Any] = values

    def raw_text(self, name: str) -> str:
        """ "" where it is left out; may hold a NUL, which no database takes. Raises BadParameter."""
        value = self._values.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise BadParameter(name)
        return value

    def claimed(self, name: str) -> str:
        """What is claimed before anything is checked; "" for what is left out or no text."""
        value = self._values.get(name)
        return value if isinstance(value, str) else ""

    def first_text(self, *names: str) -> str:
        """The first of these that is there and not empty: the contract spells some in two ways. Like `raw_text`."""
        return next((text for text in map(self.raw_text, names) if text), "")

    def text_or_none(self, name: str) -> str | None:
        """None where it is left out. Like `text`."""
        return None if self._values.get(name) is None else self.text(name)

    def flag_or_none(self, name: str) -> bool | None:
        """None where it is left out or empty. Raises BadParameter unless it is 0 or 1."""
        return None if self._values.get(name) in (None, "") else bool(self.choice(name, 0, 1))

    def put(self, name: str, value: str) -> None:
        """Sets what a page's request carries elsewhere than in its body."""
        self._values[name] = value

    def text(self, name: str) -> str:
        """ "" where it is left out. Raises BadParameter for what is no text, and for a NUL in it."""
        value = self.raw_text(name)
        if "\0" in value:
            raise BadParameter(name)
        return value

    def needed_text(self, name: str) -> str:
        """Raises BadParameter also where it is left out or empty."""
        value = self.text(name)
        if not value:
            raise BadParameter(name)
        return value

    def number(self, name: str, default: int) -> int:
        """`default` where it is left out or empty. Raises BadParameter for what is not a whole number."""
        value = self._values.get(name)
        if type(value) is int:  # what JSON's true and false are not
            return value if -FAR <= value <= FAR else min(max(value, -FAR), FAR)
        if value is None or value == "":
            return default
        if isinstance(value, str) and _DECIMAL.fullmatch(value):
            return int(value)
        raise BadParameter(name)

    def count(self, usual: int, most: int) -> int:
        """How long a page is wanted; more than `most` is taken as `most`. Raises BadParameter."""
        count = self.number("count", usual) or usual
        if count < 0:
            raise BadParameter("count")
        return min(count, most)

    def needed_number(self, *names: str) -> int:
        """The first of these names that is there: the contract spells some in two ways. Raises BadParameter."""
        name = names[0]
        for each in names:
            if self._values.get(each) not in (None, ""):
                name = each
                break
        value = self.number(name, -1)
        if value < 0:
            raise BadParameter(name)
        return value

    def texts_or_none(self, name: str) -> list[str] | None:
        """None where it is left out. Raises BadParameter for what is no list of texts, and for a NUL in one."""
        values = self._values.get(name)
        if values is None:
            return None
        if not isinstance(values, list) or any(not isinstance(each, str) or "\0" in each for each in values):
            raise BadParameter(name)
        return values

    def choice(self, name: str, *allowed: int) -> int:
        """Raises BadParameter unless it is one of these numbers."""
        value = self.number(name, -1)
        if value not in allowed:
            raise BadParameter(name)
        return value

    def keyword(self, name: str) -> str:
        """A text, or a number as its digits. Raises BadParameter where it is left out or empty."""
        value = self._values.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        return self.needed_text(name)
