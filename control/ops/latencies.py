"""How long things take, counted so cheaply that every callback can be: by the event loop's thread alone, unlocked."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from time import perf_counter

from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import REGISTRY, Collector, CollectorRegistry

BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds
_NAMES = [*map(str, BOUNDS), "+Inf"]


class Latencies(Collector):
    """A histogram with one label, whose values must be few."""

    def __init__(self, name: str, text: str, labels: Sequence[str], *, registry: CollectorRegistry = REGISTRY) -> None:
        self._name, self._text, self._labels = name, text, list(labels)
        self._counts: dict[str, list[int]] = {}
        self._sums: dict[str, float] = {}
        registry.register(self)

    def since(self, label: str, began: float) -> None:
        """`began`: what perf_counter said then."""
        self.observe(label, perf_counter() - began)

    def observe(self, label: str, seconds: float) -> None:
        counts = self._counts.get(label)
        if counts is None:
            counts = self._counts[label] = [0] * len(_NAMES)
            self._sums[label] = 0.0
        counts[bisect_left(BOUNDS, seconds)] += 1
        self._sums[label] += seconds

    def describe(self) -> Iterator[HistogramMetricFamily]:
        yield HistogramMetricFamily(self._name, self._text, labels=self._labels)

    def collect(self) -> Iterator[HistogramMetricFamily]:
        family = HistogramMetricFamily(self._name, self._text, labels=self._labels)
        for label, counts in list(self._counts.items()):
            total, buckets = 0, []
            for name, count in zip(_NAMES, tuple(counts), strict=True):
                total += count
                buckets.append((name, total))
            family.add_metric([label], buckets, self._sums[label])
        yield family
