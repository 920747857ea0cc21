"""What all samples amount to. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.soak.known import Sample

ENOUGH = 0.99  # of the settled samples have to be right


@dataclass(frozen=True, slots=True)
class Figures:
    samples: int
    settled: int
    right: int
    """Of the settled ones."""
    largest: int
    """Error of a settled sample."""
    longest: float
    """Seconds from the first to the last of one room's samples in a row that were wrong, settled or not."""
    standing: int
    """Rooms whose last sample was wrong."""
    unexpected: int
    """Joins refused, clients cut, questions without an answer, where nothing was done that explains it."""

    @property
    def share(self) -> float:
        return self.right / self.settled if self.settled else 0.0

    @property
    def good(self) -> bool:
        return self.share >= ENOUGH and not self.standing and not self.unexpected

    def __str__(self) -> str:
        return (
            f"{self.samples} samples; {self.settled} of them 2 s or more after the room's last change, "
            f"{100 * self.share:.3f} % of these right, largest error {self.largest}; "
            f"longest error {self.longest:.1f} s; standing errors at the end {self.standing}"
        )


def figures(samples: Sequence[Sample], unexpected: int = 0) -> Figures:
    settled = [sample for sample in samples if sample.settled]
    rooms = defaultdict[int, list[Sample]](list)
    for sample in samples:
        rooms[sample.room].append(sample)
    return Figures(
        samples=len(samples),
        settled=len(settled),
        right=sum(sample.error == 0 for sample in settled),
        largest=max((sample.error for sample in settled), default=0),
        longest=max((_longest(each) for each in rooms.values()), default=0.0),
        standing=sum(each[-1].error > 0 for each in rooms.values()),
        unexpected=unexpected,
    )


def _longest(samples: Iterable[Sample]) -> float:
    """Of one room."""
    longest, began = 0.0, None
    for sample in samples:
        if sample.error == 0:
            began = None
        else:
            began = sample.at if began is None else began
            longest = max(longest, sample.at - began)
    return longest
