"""Samples on their way through a real writer process."""

from __future__ import annotations

import importlib.util
import os
import signal
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from serving.records.request import InferRequest
from serving.watch.sample_queue import SampleQueue
from serving.watch.samples import SampleTable, VersionSampler
from serving.watch.sampling import RowSampling
from serving.watch.settings import SamplesConfig
from tests.serving.bundles import small_manifest
from tests.serving.watch.watched import SPECS


def sampler(queue: SampleQueue, share: float = 1.0) -> VersionSampler:
    table = SampleTable(small_manifest(inputs=SPECS), "1")
    return VersionSampler(table, RowSampling(share), queue)


def run(to: VersionSampler, *identities: str | None) -> None:
    """Let requests of two rows each run together; the distance counts the rows of the run."""
    count = 2 * len(identities)
    feed: dict[str, Any] = {
        "carrier": np.array(["UA"] * count, dtype=object),
        "distance": np.arange(count, dtype=np.float64),
        "seats": np.full(count, 2**60),
        "engines": np.full(count, 77.0),
        "charter": np.full(count, fill_value=True),
        "departs": np.zeros(count, np.int64),
    }
    outputs = {"label": np.array(["late"] * count, dtype=object), "probabilities": np.zeros((count, 2), np.float32)}
    to.ran([InferRequest(identity, 2, {}, ()) for identity in identities], feed, outputs)
    # The next run may use the arrays again.
    feed["distance"][:] = outputs["probabilities"][:] = -1.0


def written(folder: Path) -> pa.Table:
    return pa.concat_tables(pq.ParquetFile(path).read() for path in sorted(folder.rglob("*.parquet")))


def wait_for(what: Callable[[], Any]) -> None:
    until = monotonic() + 20
    while not what():
        assert monotonic() < until
        sleep(0.01)


def test_a_run_is_split_into_its_requests_and_masked_columns_stay_out(tmp_path: Path) -> None:
    queue = SampleQueue(SamplesConfig(folder=tmp_path / "of" / "samples"))
    queue.start()
    run(sampler(queue), "a", None, "b")
    queue.stop()
    table = written(tmp_path)
    assert (queue.handed, queue.dropped, queue.restarts) == (6, 0, 0)
    records = table.column("record").to_pylist()
    assert [record["distance"] for record in records] == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    assert table.column("prediction").to_pylist()[0] == {"label": "late", "probabilities": [0.0, 0.0]}
    assert "engines" not in records[0]
    assert records[0]["seats"] == 2**60
    requests = table.column("request").to_pylist()
    assert requests[0] == requests[1] != requests[4] == requests[5]
    assert requests[2:4] == [None, None]
    assert table.column("row").to_pylist() == [0, 1] * 3


def test_a_killed_writer_is_replaced_and_loses_no_more_than_its_open_file(tmp_path: Path) -> None:
    queue = SampleQueue(SamplesConfig(folder=tmp_path, rows_per_file=4))
    queue.start()
    first = queue.writer_pid
    assert first is not None
    to = sampler(queue)
    run(to, "a", "b")
    wait_for(lambda: list(tmp_path.rglob("*.parquet")))
    # When to stop is for the endpoint to say, by closing the pipe.
    os.kill(first, signal.SIGTERM)
    run(to, "lost")
    wait_for(lambda: queue.handed == 6)
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: psutil.Process(first).status() == psutil.STATUS_ZOMBIE)
    run(to, "c", "d")
    wait_for(lambda: queue.restarts == 1 and queue.handed == 10)
    queue.stop()
    assert written(tmp_path).num_rows == 8
    assert queue.dropped == 0


def test_what_waits_too_much_is_dropped_and_counted(tmp_path: Path) -> None:
    queue = SampleQueue(SamplesConfig(folder=tmp_path, queue_rows=5))
    for _ in range(4):
        run(sampler(queue), "a")
    assert queue.dropped == 4


def test_without_pyarrow_the_config_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(ValidationError, match=r"pip install 'headrace\[sampling\]'"):
        SamplesConfig(folder=tmp_path)


@pytest.mark.parametrize(
    "wrong", [{"share": 0.0}, {"share": 1.5}, {"rows_per_file": 0}, {"seconds_per_file": 0}, {"folders": "x"}]
)
def test_wrong_settings_are_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SamplesConfig(**{"folder": tmp_path, **wrong})


def test_a_folder_that_cannot_be_made_is_said_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        SampleQueue(SamplesConfig(folder=tmp_path / "file" / "samples")).start()
