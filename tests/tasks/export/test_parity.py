from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from torch import nn

from serving.bundle.manifest import DateForm
from serving.records.column import Column
from serving.records.findings import Findings
from tasks.export.latency import measure_latency
from tasks.export.parity import Parity, compare, measure_parity
from tasks.export.prediction_paths import ServingPath, TrainingPath
from tasks.export.raw_columns import feed
from tasks.export.sample import take_sample
from tasks.models.predictor import NetworkPredictor
from tests.tasks.export import small_model
from tests.tasks.export.small_bundle import write_candidate

CONSTANTS = small_model.preprocessing()


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> ServingPath:
    return write_candidate(tmp_path_factory.mktemp("home")).serving


@pytest.fixture
def training() -> TrainingPath:
    return TrainingPath(CONSTANTS, NetworkPredictor(small_model.network(CONSTANTS)))


def test_both_paths_agree_over_tables_of_any_size(training: TrainingPath, serving: ServingPath) -> None:
    parity = measure_parity(training, serving, [small_model.some_rows(5000), small_model.some_rows(7, seed=1)])
    assert parity.rows == 5007
    assert 0 <= parity.max_difference < 1e-6
    assert (parity.label_flips, parity.non_finite) == (0, 0)


def test_another_network_is_found_out(serving: ServingPath) -> None:
    other = small_model.network(CONSTANTS)
    with torch.no_grad():
        for parameter in other.layers[2].parameters():
            parameter.mul_(-1)
    parity = measure_parity(TrainingPath(CONSTANTS, NetworkPredictor(other)), serving, [small_model.some_rows(300)])
    assert parity.max_difference > 0.01
    assert parity.label_flips > 0


def test_rows_that_are_not_a_number_on_both_sides_count(training: TrainingPath, serving: ServingPath) -> None:
    class Broken(nn.Module):
        def forward(self, numeric: torch.Tensor, categorical: torch.Tensor) -> torch.Tensor:
            return torch.full((len(numeric), 2), torch.nan)

    parity = measure_parity(TrainingPath(CONSTANTS, NetworkPredictor(Broken())), serving, [small_model.some_rows(11)])
    assert parity.non_finite == 11
    nan, number = np.full((1, 2), np.nan, np.float32), np.full((1, 2), 0.5, np.float32)
    for expected, got in ((nan, nan), (nan, number), (number, nan)):
        assert compare({"probabilities": expected}, {"probabilities": got}).non_finite == 1
        assert compare({"prediction": expected[:, 0]}, {"prediction": got[:, 0]}).non_finite == 1


def test_differences_are_measured_beyond_float32() -> None:
    expected = {"label": np.array(["a"]), "probabilities": np.array([[0.25, 0.75]], np.float32)}
    got = {"label": np.array(["b"], object), "probabilities": np.array([[0.5, 0.5]], np.float32)}
    assert compare(expected, got) == Parity(rows=1, max_difference=0.25, label_flips=1)


def test_numbers_are_compared_in_units_of_their_spread() -> None:
    expected, got = {"prediction": np.array([1000.0, 2000.0])}, {"prediction": np.array([1000.0, 2000.5])}
    assert compare(expected, got, unit=50.0) == Parity(rows=2, max_difference=0.01)


def test_flips_of_labels_are_counted_cell_by_cell() -> None:
    expected, got = np.array([[True, False], [True, True]]), np.array([[False, True], [True, True]])
    assert compare({"labels": expected}, {"labels": got}) == Parity(rows=2, label_flips=2)


def test_parities_of_parts_add_up() -> None:
    parts = [Parity(rows=2, max_difference=0.1, label_flips=1), Parity(rows=3, max_difference=0.3, non_finite=2)]
    assert parts[0] + parts[1] == Parity(rows=5, max_difference=0.3, label_flips=1, non_finite=2)


def test_no_rows_have_no_difference(training: TrainingPath, serving: ServingPath) -> None:
    assert measure_parity(training, serving, [small_model.some_rows(3).slice(0, 0)]) == Parity()


def test_latency_is_measured_for_each_batch_even_from_few_rows(serving: ServingPath) -> None:
    measured = measure_latency(serving, small_model.some_rows(3))
    assert list(measured) == ["1", "256"]
    assert all(0 < each["p50"] <= each["p99"] for each in measured.values())


def test_a_sample_is_a_request_in_the_protocols_words(training: TrainingPath, serving: ServingPath) -> None:
    row = {"line": 2, "paid": True, "amount": 0.5, "late": False, "carrier": "Ü", "day": date(1970, 1, 2)}
    row["at"] = datetime(1969, 12, 31, 1, tzinfo=UTC)
    record = pa.Table.from_pylist([row], schema=small_model.SCHEMA)
    sample = take_sample(training, serving, record)
    assert {each["name"]: each["data"] for each in sample.request["inputs"]} == {
        "amount": [0.5],
        "weight": [None],
        "seats": [None],
        "line": [2],
        "late": [False],
        "paid": [True],
        "carrier": ["Ü"],
        "origin": [None],
        "at": ["1969-12-31 01:00:00.000000Z"],
        "day": ["1970-01-02"],
    }
    assert all(each["shape"] == [1] for each in sample.request["inputs"])
    assert sample.answer["probabilities"] == tuple(training.predict(record)["probabilities"][0].tolist())
    assert sample.answer["label"] == (bool(np.argmax(sample.answer["probabilities"])),)


def test_a_sample_of_a_text_that_is_taken_apart_is_whole(training: TrainingPath, serving: ServingPath) -> None:
    record = small_model.some_rows(1)
    asked = {}
    for examples in (("at XX@",), ("none",), ()):
        specs = {spec.name: spec for spec in serving.inputs}
        specs["carrier"] = specs["carrier"].model_copy(update={"extract": "([A-Z]+)@", "examples": examples})
        sample = take_sample(training, replace(serving, inputs=tuple(specs.values())), record)
        [asked[examples]] = (each["data"] for each in sample.request["inputs"] if each["name"] == "carrier")
        part = "XX" if examples == ("at XX@",) else None
        carried = record.set_column(record.column_names.index("carrier"), "carrier", pa.array([part], pa.string()))
        assert sample.answer["probabilities"] == tuple(training.predict(carried)["probabilities"][0].tolist())
    assert asked == {("at XX@",): ["at XX@"], ("none",): ["none"], (): [None]}


@pytest.mark.parametrize("day", [date(2024, 1, 4), date(1969, 12, 31), None])
def test_a_sample_of_a_date_in_a_form_of_its_own_is_a_number(
    training: TrainingPath, serving: ServingPath, day: date | None
) -> None:
    form = DateForm(written="yyyy-dd-MM", pattern="(?P<year>[0-9]{4})-(?P<day>[0-9]{2})-(?P<month>[0-9]{2})")
    spec = next(spec for spec in serving.inputs if spec.name == "day").model_copy(update={"date_forms": (form,)})
    record = small_model.some_rows(1)
    record = record.set_column(record.column_names.index("day"), "day", pa.array([day], pa.date32()))
    others = tuple(each for each in serving.inputs if each.name != "day")
    sample = take_sample(training, replace(serving, inputs=(*others, spec)), record)
    tensor = sample.request["inputs"][-1]
    read = Column(spec).tensor(tensor["data"], tensor["datatype"], Findings())
    assert read is not None
    assert read.tolist() == feed(record, [spec])["day"].tolist()


def test_serving_runs_on_one_thread(tmp_path: Path) -> None:
    written = write_candidate(tmp_path)
    assert written.serving.session.get_session_options().intra_op_num_threads == 1
