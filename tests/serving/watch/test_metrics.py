"""What is known of versions: who is served in which role, what became of shadows, and what is forgotten."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from serving.bundle.store import ModelStore
from serving.bundle.traffic import TrafficPlan
from serving.models.lineup import Lineup
from serving.models.loaded import LoadedModel
from serving.models.served import ServedModels
from serving.watch.exposition import exposition
from serving.watch.families import FAMILIES
from serving.watch.histogram import SECONDS
from serving.watch.metrics import Metrics, lineup_numbers
from serving.watch.recent import Recent, Totals, stats
from serving.watch.settings import MetricsConfig
from serving.watch.shared import SharedFolder
from tests.serving.bundles import promote, request, small_model, write_bundle
from tests.serving.watch.watched import OK, finished


def predicted(model: LoadedModel) -> None:
    """Let a model answer one request."""
    model.predict([model.reader.read(request())])


def test_roles_and_shadows_are_told(tmp_path: Path) -> None:
    store = ModelStore(tmp_path)
    promote(tmp_path)
    store.register("small", lambda folder: write_bundle(folder, small_model(2.0)))
    store.set_traffic("small", lambda _: TrafficPlan.model_validate({"shadow": {"version": "2", "percent": 100}}))
    served = ServedModels(store, 100)
    served.refresh()
    shadow = served.lineup("small").shadow
    assert shadow is not None
    counts = shadow.counts
    counts.requests, counts.dropped, counts.labels, counts.agreed, counts.largest_difference = 9, 1, 12, 8, 0.25
    numbers = lineup_numbers(dict(served.lineups))
    assert {labels[:3] for labels in numbers["headrace_model_info"]} == {
        ("small", "1", "champion"),
        ("small", "2", "shadow"),
    }
    assert numbers["headrace_waiting_rows"] == {("small", "1"): 0, ("small", "2"): 0}
    assert numbers["headrace_shadow_requests"]["small", "2", "answered"] == 9
    assert numbers["headrace_shadow_requests"]["small", "2", "dropped"] == 1
    assert numbers["headrace_shadow_labels"]["small", "2", "differed"] == 4
    assert numbers["headrace_shadow_largest_difference"] == {("small", "2"): 0.25}
    served.close()


def test_a_version_that_left_is_forgotten_after_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    promote(tmp_path)
    clock = [1000.0]
    monkeypatch.setattr("serving.watch.metrics.monotonic", lambda: clock[0])
    lineups: dict[str, Lineup] = {}
    metrics = Metrics(MetricsConfig(), lambda: lineups, SharedFolder(None, 0), 0, dict)
    served = ServedModels(ModelStore(tmp_path), 100, watch=lambda path, model: metrics.watch(path, model, None))
    served.refresh()
    lineups.update(served.lineups)
    predicted(served.get("small"))
    metrics.counters.finished(finished(model="small", version="1"), OK)
    key = "small", "1"
    for seconds, there in ((0, True), (5000, True)):
        clock[0] += seconds
        assert (key in metrics.tick().numbers["headrace_run_rows"]) is there
    lineups.clear()
    for seconds, there in ((1, True), (599, True), (2, False), (1, False)):
        clock[0] += seconds
        numbers = metrics.tick().numbers
        assert (key in numbers.get("headrace_run_rows", {})) is there
        assert (("small", "1", "200", "http") in numbers["headrace_requests"]) is there
    served.close()


def test_a_version_that_comes_back_goes_on(tmp_path: Path) -> None:
    promote(tmp_path)
    metrics = Metrics(MetricsConfig(), dict, SharedFolder(None, 0), 0, dict)
    for _ in range(2):
        served = ServedModels(ModelStore(tmp_path), 100, watch=lambda path, model: metrics.watch(path, model, None))
        served.refresh()
        predicted(served.get("small"))
        served.close()
    counts, rows = metrics.tick().numbers["headrace_run_rows"]["small", "1"]  # type: ignore[misc]
    assert (sum(counts), rows) == (2, 2.0)  # type: ignore[arg-type]


def test_every_family_can_be_written_and_read() -> None:
    numbers: dict[str, Any] = {
        name: {
            tuple(f'a"\n{label}' for label in family.labels): ([1] * (len(family.bounds) + 1), 2.5)
            if family.kind == "histogram"
            else 1.5
        }
        for name, family in FAMILIES.items()
    }
    read = {family.name: family for family in text_string_to_metric_families(exposition(numbers).decode())}
    assert read.keys() == FAMILIES.keys()
    buckets = [sample for sample in read["headrace_run_seconds"].samples if sample.name.endswith("_bucket")]
    assert [bucket.labels["le"] for bucket in buckets][-1] == "+Inf"
    assert buckets[-1].value == len(SECONDS) + 1
    assert len(buckets) == 22
    assert buckets[0].labels["model"] == 'a"\nmodel'


def totals(requests: int, errors: int = 0) -> Totals:
    """Return totals of requests of 2 to 2.5 milliseconds, each a run of four rows."""
    latencies = [0] * (len(SECONDS) + 1)
    latencies[SECONDS.index(0.0025)] = requests
    return Totals(latencies, errors, requests, 4.0 * requests)


def test_the_last_minute_is_the_last_minute() -> None:
    recent = Recent()
    for second in range(200):
        recent.tick(float(second), {("a", "1"): totals(10 * second), ("a", "2"): totals(0), ("b", "1"): totals(7)})
    told = stats([recent.last_minute(), recent.last_minute()], None)
    assert told["a"]["requests_per_second"] == 20.0
    assert told["a"]["rows_per_run"] == 4.0
    assert 2.0 <= told["a"]["latency_ms"]["p50"] <= told["a"]["latency_ms"]["p99"] <= 2.5
    assert told["a"]["versions"] == {"1": 20.0, "2": 0.0}
    assert told["b"]["latency_ms"] == {"p50": None, "p95": None, "p99": None}
    assert list(stats([recent.last_minute()], frozenset({"b"}))) == ["b"]


def test_refusals_count_as_errors_and_not_as_latencies() -> None:
    recent = Recent()
    recent.tick(0.0, {})
    assert stats([recent.last_minute()], None) == {}
    recent.tick(2.0, {("a", "1"): totals(4, errors=2), ("a", ""): totals(6, errors=6), ("", ""): totals(1, errors=1)})
    told = stats([recent.last_minute()], None)
    assert list(told) == ["a"]
    assert (told["a"]["requests_per_second"], told["a"]["errors_per_second"]) == (5.0, 4.0)
    assert told["a"]["versions"] == {"1": 2.0}
