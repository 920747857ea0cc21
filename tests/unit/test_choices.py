from __future__ import annotations

from control.accounts.choices import COMMON, SHORTEST
from control.accounts.identity import folded


def test_the_list_has_ten_thousand_passwords_that_could_be_chosen() -> None:
    common = COMMON.read_text().split()
    assert len(set(common)) == len(common) == 10_000
    assert all(len(each) >= SHORTEST and folded(each) == each for each in common)


def test_its_licence_is_beside_it() -> None:
    assert COMMON.with_suffix(".LICENSE").read_text().startswith("MIT License")
