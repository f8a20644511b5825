"""The whole check, from a bundle and samples to a report."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from serving.bundle.store import ModelStore
from tasks.drift.drift import DriftConfig, run_drift
from tasks.errors import DataError, IntegrityError
from tests.tasks.drift.conftest import Watched
from tests.tasks.drift.watched import BEGIN, documents, flights, promote_described, sample, turned_out


def test_traffic_like_the_training_data_does_not_alarm(watched: Watched) -> None:
    report = run_drift(watched.bundle, "1", DriftConfig(samples=watched.calm))
    assert (report.drift, report.alarms, report.rows) == (False, (), 2000)
    assert {each.test for each in report.tests} == {"psi", "ks", "chi_squared", "nulls", "unseen", "out_of_range"}
    by_name = {each.name: each for each in report.series}
    assert by_name["distance"].null_rate == pytest.approx(0.1, abs=0.03)
    assert by_name["departs"].psi is None
    assert by_name["probability[late]"].of == "prediction"
    assert any("`engines`: masked" in note for note in report.notes)
    assert any("`departs` moves on by itself" in note for note in report.notes)
    assert run_drift(watched.bundle, "1", DriftConfig(samples=watched.calm)) == report


def test_a_shift_of_half_a_deviation_names_the_feature_and_the_hour(watched: Watched) -> None:
    report = run_drift(watched.bundle, "1", DriftConfig(samples=watched.shifted))
    assert report.drift
    assert report.alarms[0].series == "distance"
    assert {each.series for each in report.alarms} <= {"distance", "label", "probability[late]"}
    since = report.alarms[0].since
    assert since is not None
    assert abs(since.timestamp() - BEGIN - 3600) <= 600
    assert "higher" in report.alarms[0].said
    early = run_drift(watched.bundle, "1", DriftConfig(samples=watched.calm, since=datetime.fromtimestamp(BEGIN, UTC)))
    assert not early.drift


def test_since_leaves_earlier_rows_out(watched: Watched) -> None:
    later = DriftConfig(samples=watched.shifted, since=datetime.fromtimestamp(BEGIN + 3600, UTC))
    report = run_drift(watched.bundle, "1", later)
    assert report.rows == 1000
    assert report.begin == datetime.fromtimestamp(BEGIN + 3600, UTC)


def test_nulls_unseen_categories_and_values_out_of_range_alarm(watched: Watched, tmp_path: Path) -> None:
    columns = flights(600, 20)
    columns["carrier"][::20] = ["ZZ"] * 30
    columns["seats"][::30] = [900] * 20
    columns["distance"][::4] = [None] * 150
    sample(tmp_path, columns)
    report = run_drift(watched.bundle, "1", DriftConfig(samples=tmp_path))
    found = {(each.series, each.test): each.said for each in report.alarms}
    assert found["carrier", "unseen"] == "5 % unseen in training"
    assert found["seats", "out_of_range"] == "3.33 % out of the training data's range"
    assert "instead of" in found["distance", "nulls"]


def test_labels_are_joined_and_measured(watched: Watched, tmp_path: Path) -> None:
    truth = turned_out(flights(2000, 10), 5)
    path = tmp_path / "labels.csv"
    lines = [f"r-{BEGIN}-{place},{word}" for place, word in enumerate(truth)]
    path.write_text("request_id,delay\n" + "\n".join([*lines, "stranger,late"]) + "\n")
    good = run_drift(watched.bundle, "1", DriftConfig(samples=watched.calm, labels=path))
    assert good.performance is not None
    assert (good.performance.rows, good.performance.unmatched, good.drift) == (2000, 1, False)
    accuracy = good.performance.metrics["roc_auc"]
    assert accuracy.interval is not None
    assert accuracy.interval[0] < accuracy.served < accuracy.interval[1]
    wrong = pa.table(
        {
            "request_id": [f"r-{BEGIN}-{place}" for place in range(2000)],
            "row": [0] * 2000,
            "delay": ["on time" if word == "late" else "late" for word in truth],
        }
    )
    pq.write_table(wrong, tmp_path / "wrong.parquet")
    bad = run_drift(watched.bundle, "1", DriftConfig(samples=watched.calm, labels=tmp_path / "wrong.parquet"))
    assert {(each.of, each.series) for each in bad.alarms} == {("labels", "roc_auc"), ("labels", "log_loss")}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("request_id,dely\na,late\n", "no column `delay` .nearest: `dely`."),
        ("id,delay\na,late\n", "no column `request`"),
        ("request_id,delay\na,late\na,late\n", "1 rows have more than one label: ca978112"),
        ("request_id,delay\na,never\n", "1 values that the model does not know: never"),
    ],
)
def test_labels_that_fit_nothing_are_refused(watched: Watched, tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(content)
    with pytest.raises(DataError, match=said):
        run_drift(watched.bundle, "1", DriftConfig(samples=watched.calm, labels=path))


def test_samples_that_are_missing_or_of_another_model_are_refused(watched: Watched, tmp_path: Path) -> None:
    def refused(folder: Path, version: str = "1", **more: datetime) -> str:
        with pytest.raises(DataError, match="do: ") as raised:
            run_drift(watched.bundle, version, DriftConfig(samples=folder, **more))
        return str(raised.value)

    assert "no such folder" in refused(tmp_path / "none")
    assert "no samples of version '2'; there are some of: 1" in refused(watched.calm, "2")
    assert "0 sampled rows since" in refused(watched.calm, since=datetime(2030, 1, 1, tzinfo=UTC))
    sample(tmp_path / "few", flights(50, 1))
    assert "has 50 sampled rows; 282 are needed" in refused(tmp_path / "few")
    other = tmp_path / "other" / "model=small" / "version=1"
    shutil.copytree(watched.calm / "model=small" / "version=1", tmp_path / "other" / "model=small" / "version=2")
    assert "there are some of: 2" in refused(tmp_path / "other")
    (tmp_path / "other" / "model=small" / "version=2").rename(other)
    (path,) = other.rglob("*.parquet")
    pq.write_table(pq.ParquetFile(path).read().replace_schema_metadata({"headrace": '{"model": "large"}'}), path)
    assert "samples of another model: expected 'small' version '1', got 'large'" in refused(tmp_path / "other")
    pq.write_table(pa.table({"time": [1]}), path)
    assert "lacks the column `request`" in refused(tmp_path / "other")
    path.write_bytes(b"torn")
    assert "cannot be read" in refused(tmp_path / "other")


def test_what_a_reference_lacks_is_said(watched: Watched, tmp_path: Path) -> None:
    written = documents(2000)
    for column in written["reference.json"]["columns"].values():
        column.pop("edges", None)
        column.pop("counts", None)
    del written["evaluation.json"]["predictions"]
    version = promote_described(tmp_path, written)
    report = run_drift(ModelStore(tmp_path).bundle_path("small", version), "1", DriftConfig(samples=watched.calm))
    assert any("no bins of `distance`, `seats`, `engines`" in note for note in report.notes)
    assert any("does not describe predictions" in note for note in report.notes)
    assert {each.of for each in report.tests} == {"record"}
    bare = promote_described(tmp_path, {"reference.json": {"rows": 1}})
    with pytest.raises(IntegrityError, match="does not say what its training data looked like"):
        run_drift(ModelStore(tmp_path).bundle_path("small", bare), bare, DriftConfig(samples=watched.calm))


def test_a_report_is_json(watched: Watched) -> None:
    report = run_drift(watched.bundle, "1", DriftConfig(samples=watched.shifted))
    assert json.loads(json.dumps(report.model_dump(mode="json"), allow_nan=False))["drift"] is True
