"""Counted by comings and goings, a crowd is what it would be counted one by one."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from control.live.crowds import Crowd


class Step(NamedTuple):
    viewer: str
    over_hls: bool
    comes: bool


viewers = st.sampled_from(["", "7", "8"])
steps = st.builds(Step, viewers, st.booleans(), st.booleans())


@given(st.lists(steps, max_size=30))
def test_a_crowd_is_what_came_and_did_not_go(evening: list[Step]) -> None:
    crowd, over_rtmp, over_hls = Crowd(), Counter[str](), set[str]()
    for viewer, hls, comes in evening:
        if hls and viewer and comes != (viewer in over_hls):
            crowd.count_over_hls(viewer, 1 if comes else -1)
            over_hls ^= {viewer}
        elif not hls and (comes or over_rtmp[viewer]):
            crowd.count(viewer, 1 if comes else -1)
            over_rtmp[viewer] += 1 if comes else -1
        there = {each for each, sessions in over_rtmp.items() if sessions and each} | over_hls
        alone = sum(not over_rtmp[each] for each in over_hls)
        assert (crowd.unidentified, crowd.viewers) == (over_rtmp[""], there)
        assert (crowd.players, crowd.identified) == (over_rtmp.total() + alone, crowd.players - over_rtmp[""])


def test_newcomers_are_told_once_and_not_when_they_have_gone() -> None:
    crowd = Crowd()
    crowd.count("7", 1)
    crowd.count_over_hls("8", 1)
    crowd.count("9", 1)
    crowd.count("9", -1)
    assert crowd.take_newcomers() == {"7", "8"}
    crowd.count("8", 1)
    assert crowd.take_newcomers() == set()
