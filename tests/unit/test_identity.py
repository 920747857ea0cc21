"""Texts that cost: what is longer than any name is refused before anything is done with it."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest

from control.accounts import identity
from control.refusals import BadParameter

MARKS = "a" + "\u0315\u0300" * 30_000  # combining marks that NFKC sorts, in a time that grows with their square


@pytest.fixture
def lengths(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Of the texts that are normalized."""
    found: list[int] = []

    def normalize(form: Any, text: str) -> str:
        found.append(len(text))
        return real(form, text)

    real = unicodedata.normalize
    monkeypatch.setattr(unicodedata, "normalize", normalize)
    return found


def test_no_long_text_is_normalized_at_login(lengths: list[int]) -> None:
    assert identity.login_key(MARKS) == ("account_key", "")
    assert lengths == []


def test_no_long_account_is_normalized(lengths: list[int]) -> None:
    with pytest.raises(BadParameter):
        identity.account(MARKS)
    assert lengths == []


def test_an_account_may_come_taken_apart() -> None:
    assert identity.account(unicodedata.normalize("NFD", "ᾷ" * 32)) == "ᾷ" * 32
