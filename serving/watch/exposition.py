"""The metrics in Prometheus' text format; the library is imported when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from typing import Any

from serving.watch.families import FAMILIES, Family, Labels, Numbers, Value

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"
# Of the latencies' buckets these go out, which is enough for a dashboard and keeps the page small.
_SHOWN_SECONDS = frozenset(float(f"{step}e{power}") for power in range(-5, 2) for step in ("1", "2.5", "5"))


def exposition(numbers: Numbers) -> bytes:
    """Return the page. Blocks for the library's import the first time; call it off the event loop."""
    from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(numbers))
    return generate_latest(registry)


class _Collector:
    """Hands numbers to the library; it keeps none."""

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers

    def collect(self) -> Iterator[Any]:
        """Yield each family that has any series, in the order in which they are defined."""
        for name, family in FAMILIES.items():
            series = self._numbers.get(name)
            if series:
                yield _metric(name, family, series)


def _metric(name: str, family: Family, series: dict[Labels, Value]) -> Any:
    from prometheus_client.core import (  # noqa: PLC0415
        CounterMetricFamily,
        GaugeMetricFamily,
        HistogramMetricFamily,
    )

    if family.kind == "histogram":
        histogram = HistogramMetricFamily(name, family.about, labels=family.labels)
        for labels, value in sorted(series.items()):
            assert isinstance(value, tuple)
            histogram.add_metric(labels, _buckets(family.bounds, value[0]), value[1])
        return histogram
    kind = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
    metric = kind(name, family.about, labels=family.labels)
    for labels, value in sorted(series.items()):
        assert not isinstance(value, tuple)
        metric.add_metric(labels, value)
    return metric


def _buckets(bounds: tuple[float, ...], counts: list[int]) -> list[tuple[str, float]]:
    sums = list(accumulate(counts))
    shown = [place for place, bound in enumerate(bounds) if bound >= 1 or bound in _SHOWN_SECONDS]
    if bounds[0] < 1:
        shown = [place for place, bound in enumerate(bounds) if bound in _SHOWN_SECONDS]
    return [*((repr(bounds[place]), float(sums[place])) for place in shown), ("+Inf", float(sums[-1]))]
