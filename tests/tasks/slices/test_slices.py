from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tasks.errors import IntegrityError
from tasks.evaluation.held_out import read_predictions
from tasks.metrics.row_losses import row_losses
from tasks.metrics.table import metric_names
from tasks.references import DatasetRef, EvaluationRef, PreprocessingRef, SlicesRef, SplitRef
from tasks.slices.config import SlicesPlan
from tasks.slices.slices import read_slices, run_slices
from tasks.storage import write_json
from tests.tasks.export import small_model
from tests.tasks.export.conftest import write_dataset
from tests.tasks.promotion.contenders import GOOD, ROWS, TARGETS, contestant, write_rows

PLAN = SlicesPlan(columns=("carrier", "id"), searched=("carrier", "line"), protected=("late",), min_rows=20, bins=3)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("slices")


@pytest.fixture(scope="module")
def rows(home: Path) -> tuple[DatasetRef, SplitRef]:
    return write_rows(home)


def measure(
    home: Path, rows: tuple[DatasetRef, SplitRef], problem: str = "binary", plan: SlicesPlan = PLAN
) -> tuple[SlicesRef, EvaluationRef]:
    target = TARGETS[problem]
    found = contestant(home, target=target)
    constants = small_model.preprocessing().model_copy(update={"target": target})
    write_json(home / problem / "preprocessing.json", constants.model_dump(mode="json"))
    preprocessing = PreprocessingRef(path=str(home / problem), digest=problem)
    return run_slices(*rows, preprocessing, found.evaluation, plan, home), found.evaluation


def carriers() -> pa.ChunkedArray:
    return small_model.some_rows(ROWS, seed=0)["carrier"]


def test_each_group_is_measured_on_its_own_rows(home: Path, rows: Any) -> None:
    ref, evaluation = measure(home, rows)
    found = read_slices(ref)
    truth, predicted = read_predictions(evaluation, GOOD)
    losses = row_losses(GOOD, truth.values, predicted)
    assert predicted.labels is not None
    for group in found["columns"]["carrier"]["groups"]:
        own = np.array([(value or "no value") == group["group"] for value in carriers().to_pylist()])
        assert group["rows"] == own.sum()
        assert group["loss"] == pytest.approx(losses[own].mean())
        right = (predicted.labels == truth.values)[own]
        assert group["metrics"]["accuracy"] == pytest.approx(right.mean())
    assert set(found["fairness"]) == {"late"}
    assert found["search"]["columns"] == ["carrier", "line"]
    assert found["search"]["tried"] > 0
    assert sum(each["rows"] for each in found["columns"]["id"]["groups"]) == ROWS
    json.dumps(found, allow_nan=False)
    assert measure(home, rows)[0].digest == ref.digest


@pytest.mark.parametrize("problem", TARGETS)
def test_every_problem_has_groups(problem: str, home: Path, rows: Any) -> None:
    found = read_slices(measure(home, rows, problem)[0])
    assert found["problem"] == problem
    known = {name for each in found["columns"]["id"]["groups"] for name in each["metrics"]}
    assert known <= set(metric_names(problem))
    assert metric_names(problem)[0] in known
    assert found["fairness"]["late"]["measures"]


def test_small_groups_are_named_and_not_measured(home: Path, rows: Any) -> None:
    plan = PLAN.model_copy(update={"columns": ("carrier",), "min_rows": 10_000, "find": 0})
    found = read_slices(measure(home, rows, plan=plan)[0])
    carrier = found["columns"]["carrier"]
    assert carrier["groups"] == []
    assert carrier["left_out"]["rows"] == ROWS
    assert carrier["left_out"]["groups"] == len(carrier["left_out"]["names"]) > 1
    assert (found["search"]["tried"], found["search"]["columns"]) == (0, [])


def test_what_must_not_be_shown_is_not(home: Path, rows: Any) -> None:
    found = read_slices(measure(home, rows, plan=PLAN.model_copy(update={"masked": ("carrier",)}))[0])
    assert all(each["group"].startswith("group ") for each in found["columns"]["carrier"]["groups"])


def test_an_evaluation_of_other_rows_is_refused(home: Path, rows: Any, tmp_path: Path) -> None:
    measure(home, rows)
    fewer = write_rows_of(tmp_path, 100)
    preprocessing = PreprocessingRef(path=str(home / "binary"), digest="binary")
    evaluation = contestant(home, target=GOOD).evaluation
    with pytest.raises(IntegrityError, match="the evaluation is of 300 rows, but the test split has 100"):
        run_slices(*fewer, preprocessing, evaluation, PLAN, tmp_path)


def test_slices_that_are_gone_are_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="the measured slices are gone"):
        read_slices(SlicesRef(path=str(tmp_path), digest="x"))


def write_rows_of(home: Path, count: int) -> tuple[DatasetRef, SplitRef]:
    return write_dataset(home, [small_model.some_rows(count, seed=0)], [np.full(count, 2, np.uint8)])
