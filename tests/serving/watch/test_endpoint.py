"""What is seen of the real server process: metrics, statistics, log, samples and traces of the same requests."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest

from serving.config import ServeConfig
from serving.config_file import ConfigError, load_config
from tests.serving.bundles import Endpoint, request, serving
from tests.serving.watch.test_traces import collector
from tests.serving.watch.watched import INFER, promote_watched, scrape

SECRET = 424_242


@dataclass(frozen=True)
class Seen:
    """What was there after the process had stopped."""

    metrics: dict[str, dict[tuple[str, ...], float]]
    stats: Any
    lines: list[dict[str, Any]]
    folder: Path
    spans: list[Any]
    code: int
    log: str


def wait_for(what: Callable[[], Any]) -> Any:
    until = monotonic() + 20
    while not (found := what()):
        assert monotonic() < until
        sleep(0.02)
    return found


def ask(endpoint: Endpoint) -> None:
    with httpx.Client(base_url=endpoint.url) as client:
        columns = request(3, carrier=["B6", None, "UA"], distance=[9.0, None, 500.0], engines=[SECRET, 1, 2])
        for number in range(4):
            assert client.post(INFER, json=columns | {"id": f"r-{number}"}).status_code == 200
        broken = request(2, carrier=["ZZ", "UA"], engines=[SECRET, SECRET + 0.5])
        assert client.post(INFER, json=broken).status_code == 400
        assert client.post("/v2/models/small/infer", content=b"{").status_code == 400
        assert client.post("/v2/models/invented/infer", json=columns).status_code == 404
        assert client.post("/metrics").status_code == 405


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    folder = tmp_path_factory.mktemp("watched")
    promote_watched(folder / "models")
    with collector() as (url, received):
        settings = {
            "metrics": {"feature_share": 1},
            "log": {"access": "access.log"},
            "samples": {"folder": "samples", "share": 1},
            "traces": {"endpoint": url, "share": 1},
        }
        (folder / "serve.yaml").write_text(json.dumps(settings))
        with serving(folder / "models", folder / "log", "--config", str(folder / "serve.yaml")) as endpoint:
            ask(endpoint)
            endpoint.process.send_signal(signal.SIGHUP)
            stats = wait_for(lambda: httpx.get(f"{endpoint.url}/v1/stats").json()["models"])
            metrics = scrape(endpoint.url)
            code = endpoint.stop()
        spans = [span for each in received for scope in each.scope_spans for span in scope.spans]
    lines = [json.loads(line) for line in (folder / "access.log").read_text().splitlines()]
    return Seen(metrics, stats, lines, folder, spans, code, (folder / "log").read_text())


def test_the_process_stops_well(seen: Seen) -> None:
    assert seen.code == 0
    assert "Traceback" not in seen.log


def test_requests_and_errors_are_counted(seen: Seen) -> None:
    requests = seen.metrics["headrace_requests_total"]
    assert requests["small", "http", "200", "1"] == 4
    assert requests["small", "http", "400", "1"] + requests["small", "http", "400", ""] == 2
    assert requests["", "http", "404", ""] == 1
    assert not any("invented" in labels for series in seen.metrics.values() for labels in series)
    assert seen.metrics["headrace_errors_total"]["ContractViolationError", "small"] == 1
    assert seen.metrics["headrace_errors_total"]["MethodNotAllowedError", ""] == 1
    assert seen.metrics["headrace_rule_violations_total"]["small", "carrier.enum"] == 1


def test_latencies_runs_and_bytes_are_measured(seen: Seen) -> None:
    metrics = seen.metrics
    for name in ("queue_seconds", "run_seconds", "run_rows", "run_requests"):
        assert metrics[f"headrace_{name}_count"]["small", "1"] == 4
    assert metrics["headrace_run_rows_sum"]["small", "1"] == 12
    assert (
        metrics["headrace_run_seconds_sum"]["small", "1"]
        < metrics["headrace_request_seconds_sum"]["small", "http", "1"]
    )
    assert metrics["headrace_received_bytes_total"]["small", "http", "1"] > 1000
    assert metrics["headrace_in_flight"] == {(): 0}
    ((*labels, version),) = metrics["headrace_model_info"]
    assert (labels[1:], version) == (["small", "champion"], "1")
    assert metrics["headrace_worker_memory_bytes"]["0",] > 10_000_000


def test_features_are_counted(seen: Seen) -> None:
    metrics = seen.metrics
    assert metrics["headrace_feature_rows_total"]["small", "1"] == 12
    assert metrics["headrace_feature_nulls_total"]["distance", "small", "1"] == 4
    assert metrics["headrace_feature_nulls_total"]["carrier", "small", "1"] == 4
    assert metrics["headrace_feature_unseen_total"] == {("carrier", "small", "1"): 4}
    assert metrics["headrace_feature_out_of_range_total"]["distance", "small", "1"] == 4
    assert metrics["headrace_feature_out_of_range_total"]["seats", "small", "1"] == 0


def test_the_last_minute_is_told(seen: Seen) -> None:
    small = seen.stats["small"]
    assert small["requests_per_second"] > 0
    assert small["errors_per_second"] > 0
    assert small["rows_per_run"] == 3
    assert 0 < small["latency_ms"]["p50"] <= small["latency_ms"]["p95"] <= small["latency_ms"]["p99"]
    assert set(small["versions"]) == {"1"}


def test_every_request_has_its_line_and_none_tells_a_value(seen: Seen) -> None:
    infers = [line for line in seen.lines if line["path"] == INFER]
    assert [line["request_id"] for line in infers][:4] == ["r-0", "r-1", "r-2", "r-3"]
    assert {line["rows"] for line in infers[:4]} == {3}
    assert (infers[4]["error"], infers[4]["rules"][:1]) == ("ContractViolationError", ["carrier.enum"])
    assert (infers[5]["error"], infers[5]["status"]) == ("BadRequestError", 400)
    everything = json.dumps(seen.lines) + seen.log
    assert str(SECRET) not in everything
    assert "ZZ" not in everything


def test_samples_hold_every_row_of_what_was_answered(seen: Seen) -> None:
    table = pq.read_table(seen.folder / "samples")
    assert table.num_rows == 12
    assert set(table.column("model").to_pylist()) == {"small"}
    records = table.column("record").to_pylist()
    assert [record["carrier"] for record in records[:3]] == ["B6", None, "UA"]
    assert "engines" not in records[0]
    assert table.column("prediction").to_pylist()[0]["label"] == "late"


def test_requests_are_traced(seen: Seen) -> None:
    names = [span.name for span in seen.spans]
    assert names.count("POST /v2/models/{model}/infer") == 7
    assert names.count("run") == 4
    assert str(SECRET) not in str(seen.spans)


def test_a_scrape_of_any_worker_answers_for_all(tmp_path: Path) -> None:
    promote_watched(tmp_path / "models")
    with serving(tmp_path / "models", tmp_path / "log", "--set", "workers=2") as endpoint:
        for _ in range(10):
            assert httpx.post(f"{endpoint.url}{INFER}", json=request()).status_code == 200
        # The other worker's numbers are as old as a second.
        for _ in range(4):
            wait_for(lambda: scrape(endpoint.url)["headrace_requests_total"].get(("small", "http", "200", "1")) == 10)
        assert len(scrape(endpoint.url)["headrace_worker_memory_bytes"]) == 2
        stats = httpx.get(f"{endpoint.url}/v1/stats").json()
        assert stats["workers"] == 2
        assert stats["models"]["small"]["requests_per_second"] > 0
        assert endpoint.stop() == 0


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("log.acess=x", "did you mean `access`"),
        ("metrics.feature_share=2", "metrics.feature_share"),
        ("samples.share=0.5", "folder"),
        ("samples={folder: x, share: 0}", "share"),
        ("traces.endpoint=collector", "endpoint"),
    ],
)
def test_wrong_settings_are_said(setting: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load_config(ServeConfig, None, {"store": ("--store", "models")}, [setting])


def test_a_log_that_cannot_be_written_ends_the_process_before_it_serves(tmp_path: Path) -> None:
    arguments = ["--store", str(tmp_path), "--port", "0", "--set", f"log.access={tmp_path}/nowhere/access.log"]
    done = subprocess.run([sys.executable, "-m", "serving", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "nowhere/access.log" in done.stderr
    assert "Traceback" not in done.stderr
