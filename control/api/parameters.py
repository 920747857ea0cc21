"""A request's fields as definitions: each reads itself from a request, and is what the API's description says of it.

msgspec describes them and reads none: it would take `"1.0"` for a number, skip over what is no UTF-8, and refuse a
whole request for a field that the contract looks at after the session, or not at all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Generic, Literal, Self, TypeVar, overload

from msgspec import UNSET, Meta, UnsetType

from control.api.fields import FAR, Fields

Read = TypeVar("Read", covariant=True)
REQUIRED = object()
"""In the place of a default."""
_NONE = -FAR - 1  # no number that a request can hold


class Given:
    """A request's fields, each read where it is asked for: after the session, and in the order of an API's work."""

    __slots__ = ("raw",)

    def __init__(self, raw: Fields) -> None:
        self.raw = raw


class Parameter(property, Generic[Read]):
    """An attribute of a request's class, named as the contract spells it; `also` is its other spelling there.

    A property, which calls what reads it at once: a descriptor of our own would cost as much again as the reading.
    """

    name: str

    def __init__(self, about: str, example: Any, *, default: Any = UNSET, also: str = "") -> None:
        super().__init__()
        self.about = about
        self.example = example
        self.default = default
        self.also = also

    def __set_name__(self, owner: type[Given], name: str) -> None:
        self.name = name
        super().__init__(self.reader())

    if TYPE_CHECKING:

        @overload  # type: ignore[override]
        def __get__(self, given: None, owner: type[Given]) -> Self: ...

        @overload
        def __get__(self, given: Given, owner: type[Given]) -> Read: ...

        def __get__(self, given: Given | None, owner: type[Given]) -> Self | Read: ...

    def reader(self) -> Callable[[Given], Read]:
        """Of its value, by its name. It raises BadParameter."""
        raise NotImplementedError

    @property
    def kind(self) -> Any:
        """As a type that msgspec knows; no more than what may be sent where it is not left out."""
        raise NotImplementedError

    @property
    def described(self) -> Any:
        """Its type with all that is said of it. What may be left out, and is nothing then, is UNSET."""
        about = f"{self.about} Also spelled `{self.also}`." if self.also else self.about
        kind: Any = Annotated[self.kind, Meta(description=about, examples=[self.example])]
        return kind | UnsetType if self.default is UNSET else kind


class Text(Parameter[str]):
    """ "" where it is left out."""

    def __init__(
        self, about: str, example: str, *, least: int = 0, most: int | None = None, pattern: str | None = None
    ) -> None:
        """From `least` to `most` characters."""
        super().__init__(about, example, default="")
        self.limits = Meta(min_length=least or None, max_length=most, pattern=pattern)

    def reader(self) -> Callable[[Given], str]:
        name = self.name
        return lambda given: given.raw.text(name)

    @property
    def kind(self) -> Any:
        return Annotated[str, self.limits]


class NeededText(Text):
    def __init__(
        self, about: str, example: str, *, least: int = 1, most: int | None = None, pattern: str | None = None
    ) -> None:
        super().__init__(about, example, least=least, most=most, pattern=pattern)
        self.default = REQUIRED

    def reader(self) -> Callable[[Given], str]:
        name = self.name
        return lambda given: given.raw.needed_text(name)


class AskedText(Text):
    """May be left out, but not where it is read."""

    def reader(self) -> Callable[[Given], str]:
        name = self.name
        return lambda given: given.raw.needed_text(name)


class Session(Text):
    """Which no API reads itself: `Call.caller` does, and refuses it in its own words."""

    def __init__(self, about: str = "Of Login.", *, needed: bool = True) -> None:
        super().__init__(about, 32 * "s", least=32 if needed else 0, most=32)
        if needed:
            self.default = REQUIRED


class RawText(Text):
    """Whose NULs somebody else refuses."""

    def reader(self) -> Callable[[Given], str]:
        name = self.name
        return lambda given: given.raw.raw_text(name)


class NeededRawText(RawText):
    """Whose lack somebody else refuses."""

    def __init__(self, about: str, example: str, *, most: int | None = None) -> None:
        super().__init__(about, example, least=1, most=most)
        self.default = REQUIRED


class SpelledText(RawText):
    """In the contract's two ways; the first that is not empty counts."""

    def __init__(self, about: str, example: str, *, also: str, pattern: str) -> None:
        super().__init__(about, example, pattern=pattern)
        self.also = also

    def reader(self) -> Callable[[Given], str]:
        name, also = self.name, self.also
        return lambda given: given.raw.first_text(name, also)


class OptionalText(Parameter[str | None]):
    """None where it is left out."""

    def __init__(self, about: str, example: str, *, most: int) -> None:
        super().__init__(about, example)
        self.most = most

    def reader(self) -> Callable[[Given], str | None]:
        name = self.name
        return lambda given: given.raw.text_or_none(name)

    @property
    def kind(self) -> Any:
        return Annotated[str, Meta(max_length=self.most)]


class Number(Parameter[int]):
    """A whole one; `default` where it is left out or empty. Who asks for it looks at its limits."""

    def __init__(self, about: str, example: int, *, default: int, least: int = 0, most: int | None = None) -> None:
        super().__init__(about, example, default=default)
        self.limits = Meta(ge=least, le=most)

    def reader(self) -> Callable[[Given], int]:
        name, default = self.name, self.default
        return lambda given: given.raw.number(name, default)

    @property
    def kind(self) -> Any:
        return Annotated[int, self.limits]


class OptionalNumber(Parameter[int | None]):
    """None where it is left out or empty. Who asks for it looks at its limits."""

    def __init__(self, about: str, example: int, *, most: int | None = None) -> None:
        super().__init__(about, example)
        self.most = most

    def reader(self) -> Callable[[Given], int | None]:
        name = self.name

        def read(given: Given) -> int | None:
            value = given.raw.number(name, _NONE)
            return None if value == _NONE else value

        return read

    @property
    def kind(self) -> Any:
        return Annotated[int, Meta(ge=0, le=self.most)]


class NeededNumber(Number):
    """From 0 on."""

    def __init__(self, about: str, example: int, *, most: int | None = None, also: str = "") -> None:
        super().__init__(about, example, default=0, most=most)
        self.default, self.also = REQUIRED, also

    def reader(self) -> Callable[[Given], int]:
        names = (self.name, self.also) if self.also else (self.name,)
        return lambda given: given.raw.needed_number(*names)


class Count(Number):
    """How many of a list are wanted."""

    def __init__(self, usual: int, longest: int) -> None:
        super().__init__(f"How many at most; 0 is {usual}.", usual, default=usual, most=longest)
        self._usual, self._longest = usual, longest

    def reader(self) -> Callable[[Given], int]:
        usual, longest = self._usual, self._longest
        return lambda given: given.raw.count(usual, longest)


class Choice(Parameter[int]):
    """One of a few numbers."""

    def __init__(self, about: str, *allowed: int, example: int = 1) -> None:
        super().__init__(about, example, default=REQUIRED)
        self.allowed = allowed

    def reader(self) -> Callable[[Given], int]:
        name, allowed = self.name, self.allowed
        return lambda given: given.raw.choice(name, *allowed)

    @property
    def kind(self) -> Any:
        return Literal[self.allowed]


class Flag(Parameter[bool | None]):
    """None where it is left out."""

    def reader(self) -> Callable[[Given], bool | None]:
        name = self.name
        return lambda given: given.raw.flag_or_none(name)

    @property
    def kind(self) -> Any:
        return Literal[0, 1]


class Keyword(NeededText):
    """A text, or a number as its digits."""

    def reader(self) -> Callable[[Given], str]:
        name = self.name
        return lambda given: given.raw.keyword(name)


class Texts(Parameter[list[str] | None]):
    """None where it is left out."""

    def __init__(self, about: str, example: list[str], *, most: int, longest: int) -> None:
        """At most so many, of so many characters."""
        super().__init__(about, example)
        self.most, self.longest = most, longest

    def reader(self) -> Callable[[Given], list[str] | None]:
        name = self.name
        return lambda given: given.raw.texts_or_none(name)

    @property
    def kind(self) -> Any:
        return Annotated[list[Annotated[str, Meta(max_length=self.longest)]], Meta(max_length=self.most)]
