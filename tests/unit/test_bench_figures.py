"""The arithmetic of `make bench`. What it measures is measured there alone."""

from __future__ import annotations

import pytest

from tests.bench.figures import Quartiles, Row, Taken, added, cpu, order, paired, percentile, spread, table, values


def repetitions(*known: tuple[float, float, float]) -> list[dict[str, Taken]]:
    return [
        {"none": Taken(none), "least": Taken(least, 5), "ours": Taken(ours, ours * 2)} for none, least, ours in known
    ]


def test_ratios_are_of_the_same_repetition() -> None:
    drifting = repetitions((100, 90, 50), (1000, 900, 500), (10, 9, 5))
    assert paired(drifting, "ours", "none") == Quartiles(0.5, 0.5, 0.5)


def test_quartiles_lie_between_values() -> None:
    assert Quartiles.of([4, 1, 3, 2, 5]) == Quartiles(2, 3, 4)
    assert Quartiles.of([1, 2]) == Quartiles(1.25, 1.5, 1.75)
    assert Quartiles.of([7]) == Quartiles(7, 7, 7)


def test_without_values_there_are_no_figures() -> None:
    with pytest.raises(ValueError, match="no values"):
        Quartiles.of([])
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_what_is_added_is_compared_with_the_least_that_can_be() -> None:
    assert added(repetitions((1, 2, 4)), "ours", "least", "none").median == 3


def test_a_repetition_where_the_least_added_nothing_tells_nothing() -> None:
    assert added(repetitions((1, 2, 4), (2, 1, 9)), "ours", "least", "none") == Quartiles(3, 3, 3)
    with pytest.raises(ValueError, match="no values"):
        added(repetitions((2, 1, 9)), "ours", "least", "none")


def test_variants_take_turns_forwards_and_backwards() -> None:
    assert [order("abc", turn) for turn in range(3)] == [["a", "b", "c"], ["c", "b", "a"], ["a", "b", "c"]]


@pytest.mark.parametrize(("share", "expected"), [(0, 1), (0.5, 50), (0.99, 99), (0.991, 100), (1, 100)])
def test_a_percentile_is_one_of_the_values(share: float, expected: float) -> None:
    assert percentile([float(each) for each in range(100, 0, -1)], share) == expected


def test_medians_of_a_variant() -> None:
    known = repetitions((1, 2, 4), (1, 2, 8), (1, 2, 6))
    assert (values(known, "ours").median, cpu(known, "ours")) == (6, 12)


@pytest.mark.parametrize(
    ("least", "most", "verdict"),
    [(None, None, ""), (0.5, None, "met"), (0.51, None, "MISSED"), (None, 0.5, "met"), (None, 0.49, "MISSED")],
)
def test_a_row_is_judged_by_its_median(least: float | None, most: float | None, verdict: str) -> None:
    assert Row("x", Quartiles(0.1, 0.5, 0.9), least=least, most=most).verdict == verdict


def test_what_is_wanted_is_shown_with_the_aim() -> None:
    known = Quartiles(1, 1, 1)
    assert Row("x", known, least=0.84, aim=0.92).wanted == "≥ 0.84, aim 0.92"
    assert Row("x", known, most=2, aim=1.0).wanted == "≤ 2, aim 1"


def test_the_table_shows_each_row() -> None:
    rows = [Row("joins", Quartiles(0.811, 0.84, 0.86), cpu=91.4, least=0.84), Row("join p50", Quartiles(1, 1, 1), "ms")]
    assert table(rows).splitlines() == [
        "| what     | median | quartiles  | CPU µs | wanted |     |",
        "| -------- | ------ | ---------- | ------ | ------ | --- |",
        "| joins    | 0.84   | 0.811–0.86 | 91     | ≥ 0.84 | met |",
        "| join p50 | 1 ms   | 1–1        |        |        |     |",
    ]


def test_the_least_lies_below_the_most_by_a_share_of_it() -> None:
    assert spread([9, 10, 8]) == pytest.approx(0.2)
    assert spread([7]) == 0
