"""The soak compares; here is whether it would notice."""

from __future__ import annotations

import pytest

from tests.soak.figures import figures
from tests.soak.known import KEPT, LINGERS, NOTICED, REPAIRED, SETTLED, Known, Sample, Told

ROOM = 1000001


@pytest.fixture
def known() -> Known:
    """A live room with two players, long since."""
    made = Known(ROOM)
    made.goes_live(0, True)
    made.joins(0)
    made.joins(0)
    return made


@pytest.mark.parametrize(
    ("told", "error"),
    [
        (Told(True, 2), 0),
        (Told(True, 1), 1),
        (Told(True, 5), 3),
        (Told(False, 2), 1),
        (Told(False, 0), 3),
    ],
)
def test_whatever_is_told_wrongly_is_an_error(known: Known, told: Told, error: int) -> None:
    assert known.compare(100, told) == Sample(100, ROOM, settled=True, error=error)


def test_a_change_is_given_its_time_and_no_more(known: Known) -> None:
    known.leaves(100)
    assert not known.compare(100 + SETTLED - 0.1, Told(True, 2)).settled
    assert known.compare(100 + SETTLED, Told(True, 2)) == Sample(100 + SETTLED, ROOM, settled=True, error=1)


def test_a_change_while_the_api_was_asked_unsettles_what_it_told(known: Known) -> None:
    known.joins(100.1)
    assert not known.compare(100, Told(True, 2)).settled


def test_nothing_is_settled_while_somebody_is_on_the_way_in(known: Known) -> None:
    known.begin(100)
    assert not known.compare(200, Told(True, 2)).settled
    known.finish(200)
    assert known.compare(200 + SETTLED, Told(True, 2)).settled


def test_a_killed_part_is_given_the_time_of_a_repair(known: Known) -> None:
    known.disturbed(100)
    known.joins(101)
    assert not known.compare(100 + REPAIRED - 0.1, Told(True, 3)).settled
    assert known.compare(100 + REPAIRED, Told(True, 3)).settled


def counts(known: Known, at: float) -> list[int]:
    """The numbers of players that are taken for right."""
    return [number for number in range(6) if known.compare(at, Told(True, number)).error == 0]


def test_a_viewer_over_hls_who_left_may_be_counted_for_a_while(known: Known) -> None:
    known.fades(101, last_seen=100)
    assert counts(known, 100 + LINGERS - KEPT - 0.1) == [2]
    assert counts(known, 100 + LINGERS - KEPT) == [1, 2]
    assert counts(known, 100 + LINGERS + NOTICED - 0.1) == [1, 2]
    assert counts(known, 100 + LINGERS + NOTICED) == [1]


def test_a_viewer_over_hls_who_was_turned_away_may_be_counted_or_not(known: Known) -> None:
    known.glanced(100)
    assert counts(known, 101) == [2, 3]
    assert counts(known, 100 + LINGERS + NOTICED) == [2]


def sample(at: float, error: int, room: int = ROOM, settled: bool = True) -> Sample:
    return Sample(at, room, settled, error)


def test_figures_are_of_settled_samples_and_an_error_stands_as_long_as_it_is_seen() -> None:
    found = figures(
        [
            sample(1, 0),
            sample(2, 7, settled=False),
            sample(3, 2),
            sample(4, 1),
            sample(5, 0),
            *(sample(at, 0, room=2) for at in range(1, 6)),
        ]
    )
    assert (found.samples, found.settled, found.right, found.largest) == (10, 9, 7, 2)
    assert (found.longest, found.standing) == (2, 0)
    assert not found.good


def test_an_error_that_stands_at_the_end_is_never_good() -> None:
    found = figures([*(sample(at, 0) for at in range(1000)), sample(1000, 1)])
    assert found.share > 0.99
    assert found.standing == 1 and not found.good


def test_all_right_is_good_and_nothing_settled_is_not() -> None:
    assert figures([sample(1, 0)]).good
    assert not figures([sample(1, 0)], unexpected=1).good
    assert not figures([sample(1, 0, settled=False)]).good
    assert not figures([]).good
