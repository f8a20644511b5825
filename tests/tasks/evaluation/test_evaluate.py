from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from tasks.errors import IntegrityError, TrainingError
from tasks.evaluation.evaluate import CURVES, METRICS, PREDICTIONS, EvaluateConfig, run_evaluate
from tasks.evaluation.metrics import classification_metrics
from tasks.references import CheckpointRef, EvaluationRef
from tasks.training.train import run_train
from tests.tasks.training.fixtures import ROWS, TINY, Problem, write_problem


@pytest.fixture(scope="module")
def checkpoint(problem: Problem, tmp_path_factory: pytest.TempPathFactory) -> CheckpointRef:
    folder = tmp_path_factory.mktemp("trained")
    return run_train(problem.features, problem.preprocessing, TINY, folder, folder / "work")


def _evaluate(problem: Problem, checkpoint: CheckpointRef, home: Path, **settings: Any) -> EvaluationRef:
    return run_evaluate(problem.features, problem.preprocessing, checkpoint, EvaluateConfig(**settings), home)


def test_what_is_written_agrees_with_itself(problem: Problem, checkpoint: CheckpointRef, tmp_path: Path) -> None:
    ref = _evaluate(problem, checkpoint, tmp_path)
    metrics = json.loads((Path(ref.path) / METRICS).read_bytes())
    predictions = pq.read_table(Path(ref.path) / PREDICTIONS)
    probabilities = np.stack([predictions[f"probability_{index}"].to_numpy() for index in range(2)], axis=1)
    assert predictions.num_rows == metrics["rows"] == ROWS["test"]
    assert metrics["test"] == classification_metrics(predictions["target"].to_numpy(), probabilities)
    assert metrics["classes"] == [False, True]
    assert sum(map(sum, metrics["confusion"])) == ROWS["test"]
    assert set(metrics["baselines"]) == {"majority", "logistic"}
    assert metrics["baselines"]["majority"]["roc_auc"] == 0.5
    assert metrics["baselines"]["logistic"]["roc_auc"] > 0.5
    (plot,) = json.loads((Path(ref.path) / CURVES).read_bytes())["classes"]
    assert set(plot) == {"class", "roc", "pr", "calibration"}


def test_the_digest_is_of_the_content_alone(problem: Problem, checkpoint: CheckpointRef, tmp_path: Path) -> None:
    first, second = (_evaluate(problem, checkpoint, tmp_path / name) for name in ("one", "two"))
    assert first.digest == second.digest
    assert Path(first.path).name == first.digest
    other = _evaluate(problem, checkpoint, tmp_path / "one", logistic=None)
    assert other.digest != first.digest


def test_more_than_two_classes(tmp_path: Path) -> None:
    problem = write_problem(tmp_path, classes=(1, 2, 3))
    trained = run_train(problem.features, problem.preprocessing, TINY, tmp_path, tmp_path / "work")
    ref = _evaluate(problem, trained, tmp_path)
    metrics = json.loads((Path(ref.path) / METRICS).read_bytes())
    assert metrics["classes"] == [1, 2, 3]
    assert len(metrics["confusion"]) == 3
    assert len(json.loads((Path(ref.path) / CURVES).read_bytes())["classes"]) == 3


def test_an_empty_test_split_is_named(checkpoint: CheckpointRef, tmp_path: Path) -> None:
    problem = write_problem(tmp_path, rows={"train": 50, "validation": 20, "test": 0})
    with pytest.raises(TrainingError, match="the test split has no row"):
        _evaluate(problem, checkpoint, tmp_path)


def test_a_checkpoint_that_is_gone_is_named(problem: Problem, tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="not a whole checkpoint"):
        _evaluate(problem, CheckpointRef(path=str(tmp_path / "gone"), digest="0"), tmp_path)
    assert not (tmp_path / "evaluations").exists()
