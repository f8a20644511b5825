"""Counts of answered requests: the part of the metrics that every request pays for."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from time import perf_counter

from serving.service.exchange import Exchange, Response
from serving.watch.families import Numbers, Value
from serving.watch.histogram import SECONDS, Histogram

Key = tuple[str, str, int, str]


class Series:
    """What one model version answered with one status over one protocol."""

    __slots__ = ("bytes_in", "bytes_out", "counts", "seconds")

    def __init__(self) -> None:
        self.counts = [0] * (len(SECONDS) + 1)
        self.seconds = 0.0
        self.bytes_in = 0
        self.bytes_out = 0


class Counters:
    """Counts every exchange.

    Args:
        served: Tells whether a model of that name is served. Any other name in a path is the client's invention and
            is no label: it is counted under the empty one, as is what names no model.
    """

    def __init__(self, served: Callable[[str], bool]) -> None:
        self._served = served
        self._series: dict[Key, Series] = {}
        self._queues: dict[tuple[str, str], Histogram] = {}
        self._errors: dict[tuple[str, ...], int] = {}
        self._rules: dict[tuple[str, ...], int] = {}

    def finished(self, exchange: Exchange, response: Response) -> None:
        """Count one exchange."""
        now = perf_counter()
        key = (exchange.model, exchange.version, response.status, exchange.protocol)
        series = self._series.get(key)
        if series is None:
            series = self._new_series(key)
        taken = now - exchange.started
        series.counts[bisect_left(SECONDS, taken)] += 1
        series.seconds += taken
        series.bytes_in += exchange.bytes_in
        series.bytes_out += len(response.body)
        if exchange.run_began:
            queue = self._queues.get(key[:2])
            if queue is None:
                queue = self._queues[key[:2]] = Histogram(SECONDS)
            queue.add(exchange.run_began - exchange.submitted)
        if exchange.error:
            self._count_error(exchange)

    def answers(self) -> list[tuple[Key, Series]]:
        """Return what was counted, by model, version, status and protocol."""
        return list(self._series.items())

    def numbers(self) -> Numbers:
        """Return what was counted."""
        numbers: Numbers = {
            "headrace_requests": {},
            "headrace_errors": {**self._errors},
            "headrace_rule_violations": {**self._rules},
            "headrace_queue_seconds": {key: (list(q.counts), q.total) for key, q in list(self._queues.items())},
        }
        for (model, version, status, protocol), series in self.answers():
            numbers["headrace_requests"][model, version, str(status), protocol] = sum(series.counts)
            labels = (model, version, protocol)
            _add(numbers, "headrace_received_bytes", labels, series.bytes_in)
            _add(numbers, "headrace_sent_bytes", labels, series.bytes_out)
            latencies = numbers.setdefault("headrace_request_seconds", {})
            counts, total = [0] * len(series.counts), 0.0
            found = latencies.get(labels)
            if isinstance(found, tuple):
                counts, total = found
            latencies[labels] = [a + b for a, b in zip(counts, series.counts, strict=True)], total + series.seconds
        return numbers

    def forget(self, model: str, version: str) -> None:
        """Drop what was counted of a version that is gone."""
        for key in [key for key in self._series if key[:2] == (model, version)]:
            del self._series[key]
        self._queues.pop((model, version), None)

    def _new_series(self, key: Key) -> Series:
        model = self._known(key[0])
        return self._series.setdefault((model, key[1] if model else "", *key[2:]), Series())

    def _known(self, model: str) -> str:
        return model if self._served(model) else ""

    def _count_error(self, exchange: Exchange) -> None:
        model = self._known(exchange.model)
        kind = model, exchange.error
        self._errors[kind] = self._errors.get(kind, 0) + 1
        for name in set(exchange.rules):
            rule = model, name
            self._rules[rule] = self._rules.get(rule, 0) + 1


def _add(numbers: Numbers, name: str, labels: tuple[str, ...], value: int) -> None:
    series: dict[tuple[str, ...], Value] = numbers.setdefault(name, {})
    found = series.get(labels, 0)
    if not isinstance(found, tuple):
        series[labels] = found + value
