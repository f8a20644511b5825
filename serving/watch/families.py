"""What is measured: every family of metrics with its labels, and how the numbers of several workers become one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

from serving.watch.histogram import COUNTS, SECONDS

Kind = Literal["counter", "gauge", "peak", "histogram"]
Labels = tuple[str, ...]
# A number, or of a histogram its counts by bucket and the sum of its values.
Value = float | tuple[list[int], float]
Numbers = dict[str, dict[Labels, Value]]


class Family(NamedTuple):
    """Metrics of one name.

    Attributes:
        kind: Of a `peak` the greatest of the workers' numbers counts, of every other kind their sum.
        labels: The names of its labels.
        bounds: Of a histogram's buckets.
    """

    kind: Kind
    about: str
    labels: Labels = ()
    bounds: tuple[float, ...] = ()


_VERSION = ("model", "version")
_FEATURE = ("model", "version", "feature")
_OUTCOME = ("model", "version", "outcome")

FAMILIES: Mapping[str, Family] = {
    "headrace_requests": Family("counter", "Requests answered", (*_VERSION, "status", "protocol")),
    "headrace_request_seconds": Family(
        "histogram", "From a request's head to its answer", (*_VERSION, "protocol"), SECONDS
    ),
    "headrace_received_bytes": Family("counter", "Bodies of requests", (*_VERSION, "protocol")),
    "headrace_sent_bytes": Family("counter", "Bodies of answers", (*_VERSION, "protocol")),
    "headrace_errors": Family("counter", "Refused requests by the kind of the error", ("model", "kind")),
    "headrace_rule_violations": Family("counter", "Requests that break a rule of the contract", ("model", "rule")),
    "headrace_queue_seconds": Family("histogram", "From reading a request to the start of its run", _VERSION, SECONDS),
    "headrace_run_seconds": Family("histogram", "One run of the model", _VERSION, SECONDS),
    "headrace_run_requests": Family("histogram", "Requests that waited and ran together", _VERSION, COUNTS),
    "headrace_run_rows": Family("histogram", "Rows of one run", _VERSION, COUNTS),
    "headrace_in_flight": Family("gauge", "Requests let in and not answered yet"),
    "headrace_waiting_rows": Family("gauge", "Rows that wait for a run", _VERSION),
    "headrace_model_info": Family("peak", "Loaded versions", (*_VERSION, "role", "digest")),
    "headrace_shadow_requests": Family("counter", "Copies for the shadow by what became of them", _OUTCOME),
    "headrace_shadow_labels": Family("counter", "Labels of the shadow beside the champion's", _OUTCOME),
    "headrace_shadow_largest_difference": Family("peak", "Between a number of the shadow and the champion's", _VERSION),
    "headrace_feature_rows": Family("counter", "Rows whose features were looked at", _VERSION),
    "headrace_feature_nulls": Family("counter", "Nulls among the rows looked at", _FEATURE),
    "headrace_feature_unseen": Family("counter", "Categories that the training data did not hold", _FEATURE),
    "headrace_feature_out_of_range": Family("counter", "Values outside the training data's range", _FEATURE),
    "headrace_log_dropped_lines": Family("counter", "Lines of the access log that were dropped"),
    "headrace_sampled_rows": Family("counter", "Sampled rows handed to the sample writer"),
    "headrace_sample_dropped_rows": Family("counter", "Sampled rows that were dropped"),
    "headrace_sample_writer_restarts": Family("counter", "Starts of a sample writer in place of one that ended"),
    "headrace_worker_memory_bytes": Family("gauge", "Resident memory of a worker", ("worker",)),
    "headrace_worker_cpu_seconds": Family("counter", "CPU time of a worker", ("worker",)),
    "headrace_worker_open_files": Family("gauge", "Open file descriptors of a worker", ("worker",)),
    "headrace_worker_start_seconds": Family("gauge", "When a worker started, in seconds since 1970", ("worker",)),
}


def summed(many: Iterable[Numbers]) -> Numbers:
    """Return the sum of several workers' numbers: of counters, gauges and histograms, series by series."""
    result: Numbers = {}
    for numbers in many:
        for name, series in numbers.items():
            into = result.setdefault(name, {})
            for labels, value in series.items():
                found = into.get(labels)
                into[labels] = value if found is None else _sum(FAMILIES[name].kind, found, value)
    return result


def lasting(numbers: Numbers) -> Numbers:
    """Return what a worker that takes another's place goes on from: whatever only grows, but the process's own."""
    return {
        name: series
        for name, series in numbers.items()
        if FAMILIES[name].kind in {"counter", "histogram"} and FAMILIES[name].labels != ("worker",)
    }


def as_document(numbers: Numbers) -> dict[str, Any]:
    """Return numbers as a JSON value."""
    return {name: [[labels, value] for labels, value in series.items()] for name, series in numbers.items()}


def of_document(document: Mapping[str, Any]) -> Numbers:
    """Return the numbers that `as_document` wrote; families that this release does not know are left out."""
    return {
        name: {tuple(labels): _value(value) for labels, value in series}
        for name, series in document.items()
        if name in FAMILIES
    }


def _value(value: Any) -> Value:
    return (value[0], value[1]) if isinstance(value, list) else value


def _sum(kind: Kind, one: Value, other: Value) -> Value:
    if isinstance(one, tuple) and isinstance(other, tuple):
        return [a + b for a, b in zip(one[0], other[0], strict=True)], one[1] + other[1]
    if isinstance(one, tuple) or isinstance(other, tuple):
        raise TypeError(f"a {kind} is a number in one worker and a histogram in another")
    return max(one, other) if kind == "peak" else one + other
