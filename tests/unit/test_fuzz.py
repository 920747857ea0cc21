"""What `make fuzz` throws is the same for the same seed, or a harm could not be done again."""

from __future__ import annotations

import random

import pytest

from tests.fuzz import http, parsers
from tests.fuzz.rtmp import Harm
from tests.fuzz.sequences import Rooms, wire

ROOMS = Rooms("1000001?pwd=a", "1000002?pwd=b", "1000002?pwd=wrong")


def test_a_seed_makes_the_same_connection_and_request_again() -> None:
    assert [wire(random.Random(seed), ROOMS) for seed in range(200)] == [
        wire(random.Random(seed), ROOMS) for seed in range(200)
    ]
    assert http.body(random.Random(5), "s") == http.body(random.Random(5), "s")


def test_most_connections_say_something_proper() -> None:
    first = [wire(random.Random(seed), ROOMS)[0] for seed in range(300)]
    assert sum(b"connect" in each and (b"publish" in each or b"play" in each) for each in first) > 200


def test_the_readers_take_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    assert parsers.run(0.01) == parsers.EXAMPLES * len(parsers.READERS)


def test_a_reader_that_fails_is_a_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise IndexError("as a parser does")

    monkeypatch.setattr(parsers, "READERS", [broken])
    with pytest.raises(Harm, match="IndexError"):
        parsers.run(0.01)
