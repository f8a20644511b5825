from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tasks.errors import TrainingError
from tasks.preprocessing.targets import LabelsTarget, NumberTarget, Target
from tasks.training.splits import SplitTensors, read_split, require_trainable
from tests.tasks.training.fixtures import ROWS, Problem, constants, write_problem


def test_a_split_comes_as_tensors_of_the_agreed_types(problem: Problem) -> None:
    train = read_split(problem.features, problem.preprocessing, "train")
    assert len(train) == ROWS["train"]
    assert (train.numeric.dtype, train.categorical.dtype, train.target.dtype) == (
        torch.float32,
        torch.int64,
        torch.int64,
    )
    assert train.numeric.shape == (ROWS["train"], 3)
    require_trainable(train, problem.constants)


def test_an_empty_split_is_named(tmp_path: Path) -> None:
    problem = write_problem(tmp_path, rows={"train": 30, "validation": 0, "test": 10})
    with pytest.raises(TrainingError, match="the validation split has no row"):
        read_split(problem.features, problem.preprocessing, "validation")


def test_one_class_in_the_target_is_named_with_its_rows(tmp_path: Path) -> None:
    problem = write_problem(tmp_path, one_class=True)
    train = read_split(problem.features, problem.preprocessing, "train")
    with pytest.raises(TrainingError, match=r"column late: the target has one class \(False\) in all 600"):
        require_trainable(train, problem.constants)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_is_not_finite_is_named(tmp_path: Path, value: float) -> None:
    problem = write_problem(tmp_path, broken=value)
    train = read_split(problem.features, problem.preprocessing, "train")
    with pytest.raises(TrainingError, match="features x0: expected finite"):
        require_trainable(train, problem.constants)


def test_no_feature_is_an_error(problem: Problem) -> None:
    train = read_split(problem.features, problem.preprocessing, "train")
    with pytest.raises(TrainingError, match="no feature is left"):
        require_trainable(train, constants(numbers=0))


@pytest.mark.parametrize(
    ("target", "values", "column"),
    [
        (LabelsTarget(labels=("a", "b")), [[0.0, 1.0], [1.0, 1.0]], "b"),
        (NumberTarget(column="y", source="number", center=0.0, spread=1.0), [0.5, 0.5], "y"),
    ],
)
def test_a_label_or_a_number_that_never_changes_is_named(target: Target, values: list[float], column: str) -> None:
    fitted = constants().model_copy(update={"target": target})
    inputs = torch.zeros(2, 3), torch.zeros(2, 1, dtype=torch.int64)
    with pytest.raises(TrainingError, match=f"column {column}: the target is the same in all 2 training rows"):
        require_trainable(SplitTensors(inputs, torch.tensor(values)), fitted)
    changing = torch.tensor(values)
    changing[0] = 0.0
    require_trainable(SplitTensors(inputs, changing), fitted)
