from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.access.tickets import Keys, stored_keys
from control.access.verdicts import TicketClaims
from control.storage.tables import LAST_ROOM_ID
from tests.support.world import SeededEntropy

KEYS = Keys({"k1": b"a" * 64})
GRANTED = TicketClaims(1000001, 7, 3, 1_800_000_000_000)
TICKET = KEYS.sign(GRANTED)
numbers = st.integers(1, LAST_ROOM_ID), st.integers(1, 2**63), st.integers(1, 2**31), st.integers(0)
claims = st.builds(TicketClaims, *numbers)


@given(claims)
def test_a_ticket_says_what_was_granted(granted: TicketClaims) -> None:
    assert KEYS.read(KEYS.sign(granted)) == granted


def test_a_ticket_has_its_documented_form() -> None:
    assert re.fullmatch(r"1000001\.7\.3\.1800000000000\.k1\.[A-Za-z0-9_-]{43}", TICKET)


def test_the_longest_ticket_fits_where_it_has_to_go() -> None:
    longest = KEYS.sign(TicketClaims(LAST_ROOM_ID, 2**63 - 1, 2**31 - 1, 10**14))
    assert len(longest) <= 120
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,160}", longest)
    assert len(f"{LAST_ROOM_ID}?ticket={longest}") <= 255


@pytest.mark.parametrize("part", range(6))
def test_a_ticket_with_another_part_is_forged(part: int) -> None:
    parts = TICKET.split(".")
    parts[part] = {4: "k2", 5: "A" * 43}.get(part, parts[part] + "0")
    assert KEYS.read(".".join(parts)) is None


@pytest.mark.parametrize("length", range(len(TICKET)))
def test_a_ticket_that_was_cut_is_none(length: int) -> None:
    assert KEYS.read(TICKET[:length]) is None


@pytest.mark.parametrize(
    "text", ["", ".", "k1", "k1.", ".k1.", "k1.k1", "密码", "a.k1.密码", TICKET + "=", TICKET + " ", "." * 99]
)
def test_what_is_no_ticket_is_none(text: str) -> None:
    assert KEYS.read(text) is None


@given(st.text(max_size=200))
def test_nobody_guesses_a_ticket(text: str) -> None:
    assert KEYS.read(text) is None


def test_a_ticket_of_another_key_is_none() -> None:
    assert Keys({"k1": b"b" * 64}).read(TICKET) is None


def test_a_key_can_be_changed_live() -> None:
    both = Keys({"k2": b"b" * 64, "k1": b"a" * 64})
    fresh = both.sign(GRANTED)
    assert both.read(TICKET) == both.read(fresh) == GRANTED
    assert (KEYS.read(fresh), Keys({"k2": b"b" * 64}).read(fresh)) == (None, GRANTED)


def test_keys_are_made_once_and_for_their_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "tickets"
    ticket = stored_keys(path, SeededEntropy(1)).sign(GRANTED)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stored_keys(path, SeededEntropy(2)).read(ticket) == GRANTED
    assert [each.name for each in path.parent.iterdir()] == ["tickets"]


def test_two_machines_have_two_keys(tmp_path: Path) -> None:
    ticket = stored_keys(tmp_path / "one", SeededEntropy(1)).sign(GRANTED)
    assert stored_keys(tmp_path / "other", SeededEntropy(2)).read(ticket) is None


def test_the_newest_key_stands_first_in_the_file(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("k2 second\n\nk1 first\n")
    keys = stored_keys(tmp_path / "keys", SeededEntropy())
    assert keys.sign(GRANTED) == Keys({"k2": b"second"}).sign(GRANTED)
    assert keys.read(Keys({"k1": b"first"}).sign(GRANTED)) == GRANTED


def test_a_start_that_was_cut_off_left_no_key(tmp_path: Path) -> None:
    (tmp_path / "tickets.part").write_text("k1 ha")
    stored_keys(tmp_path / "tickets", SeededEntropy())
    assert len((tmp_path / "tickets").read_text().split()[1]) == 64
