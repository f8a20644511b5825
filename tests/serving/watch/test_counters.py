"""Counts of exchanges, and how those of several workers become one."""

from __future__ import annotations

from pathlib import Path

import pytest

from serving.errors import NotFoundError
from serving.service.exchange import Response
from serving.watch.counters import Counters
from serving.watch.families import FAMILIES, as_document, of_document, summed
from serving.watch.shared import SharedFolder, Snapshot
from tests.serving.watch.watched import OK, finished


def counted(*, requests: int = 1) -> Counters:
    counters = Counters({"small"}.__contains__)
    for _ in range(requests):
        counters.finished(finished(model="small", version="1", bytes_in=7, submitted=1.0, run_began=1.5), OK)
    return counters


def test_requests_are_counted_by_version_status_and_protocol() -> None:
    counters = counted(requests=2)
    counters.finished(finished(model="small", version="1", protocol="grpc"), OK)
    counters.finished(finished(model="small", version="1", error="PredictionError"), Response(500, b""))
    numbers = counters.numbers()
    assert numbers["headrace_requests"] == {
        ("small", "1", "200", "http"): 2,
        ("small", "1", "200", "grpc"): 1,
        ("small", "1", "500", "http"): 1,
    }
    assert numbers["headrace_received_bytes"]["small", "1", "http"] == 14
    assert numbers["headrace_sent_bytes"]["small", "1", "http"] == 4
    counts, total = numbers["headrace_queue_seconds"]["small", "1"]  # type: ignore[misc]
    assert (sum(counts), total) == (2, 1.0)  # type: ignore[arg-type]
    assert numbers["headrace_errors"] == {("small", "PredictionError"): 1}


def test_names_that_clients_invent_are_no_labels() -> None:
    counters = counted()
    for number in range(50):
        exchange = finished(model=f"invented-{number}", version="", error=NotFoundError.__name__)
        counters.finished(exchange, Response(404, b"{}"))
    numbers = counters.numbers()
    assert numbers["headrace_requests"]["", "", "404", "http"] == 50
    assert numbers["headrace_errors"] == {("", "NotFoundError"): 50}
    assert len(numbers["headrace_requests"]) == 2


def test_a_rule_counts_once_for_each_request_that_breaks_it() -> None:
    counters = counted()
    exchange = finished(model="small", version="1", error="ContractViolationError", rules=("a", "b", "a"))
    counters.finished(exchange, Response(400, b"{}"))
    assert counters.numbers()["headrace_rule_violations"] == {("small", "a"): 1, ("small", "b"): 1}


def test_a_version_that_is_forgotten_leaves_the_others() -> None:
    counters = counted()
    counters.finished(finished(model="small", version="2"), OK)
    counters.forget("small", "1")
    assert counters.numbers()["headrace_requests"] == {("small", "2", "200", "http"): 1}


def test_sums_over_workers_survive_the_way_through_a_file() -> None:
    numbers = counted().numbers()
    read = of_document(as_document(numbers) | {"of_a_later_release": []})
    total = summed([numbers, read, {"headrace_in_flight": {(): 2}}, {"headrace_in_flight": {(): 3}}])
    assert total["headrace_requests"]["small", "1", "200", "http"] == 2
    assert total["headrace_in_flight"] == {(): 5}
    counts, seconds = total["headrace_queue_seconds"]["small", "1"]  # type: ignore[misc]
    assert (sum(counts), seconds) == (2, 1.0)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", [name for name, family in FAMILIES.items() if family.kind == "peak"])
def test_of_a_peak_the_greatest_counts(name: str) -> None:
    assert summed([{name: {("a",): 1.0}}, {name: {("a",): 3.0}}])[name] == {("a",): 3.0}


def test_a_worker_in_anothers_place_goes_on_from_its_counts(tmp_path: Path) -> None:
    minute = {"seconds": 0.0, "versions": []}
    numbers = counted().numbers() | {"headrace_in_flight": {(): 4}, "headrace_worker_cpu_seconds": {("0",): 5.0}}
    SharedFolder(tmp_path, 0).write(Snapshot(numbers, minute))
    SharedFolder(tmp_path, 1).write(Snapshot(counted(requests=2).numbers(), minute))
    new = SharedFolder(tmp_path, 0)
    assert new.before["headrace_requests"] == numbers["headrace_requests"]
    # What flew with the old one has landed, and its CPU time was another process's.
    assert not {"headrace_in_flight", "headrace_worker_cpu_seconds"} & new.before.keys()
    assert [other.numbers["headrace_requests"]["small", "1", "200", "http"] for other in new.others()] == [2]


def test_a_single_process_shares_nothing() -> None:
    alone = SharedFolder(None, 0)
    alone.write(Snapshot({}, {}))
    assert list(alone.others()) == []
    assert alone.before == {}
