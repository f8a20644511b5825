from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import log_loss

from tasks.augmentation.augment import run_augment
from tasks.augmentation.config import AugmentConfig
from tasks.augmentation.rows import PARENT, PARENT_2
from tasks.cross_validation.assignment import assign
from tasks.cross_validation.config import CrossValidateConfig, CrossValidation
from tasks.cross_validation.cross_validate import OUT_OF_FOLD, read_cross_validation, run_cross_validate
from tasks.cross_validation.held_out import HeldOutJob
from tasks.engine import DaskConfig
from tasks.errors import TrainingError
from tasks.models.config import AutoConfig
from tasks.models.linear import LinearConfig
from tasks.models.trees import TreesConfig
from tasks.progress import Advance, listening
from tasks.references import CrossValidationRef
from tasks.training.config import TrainConfig
from tasks.training.job import TrainJob
from tasks.training.splits import read_split
from tasks.training.train import train
from tests.tasks.training.fixtures import ROWS, TINY, Problem, write_problem

TREES = TreesConfig(rounds=20, leaves=4, learning_rate=0.3, patience=20)


def plan(**folds: Any) -> CrossValidation:
    config: TrainConfig = TINY.model_copy(update={"model": TREES})
    return CrossValidation(train=config, augment=AugmentConfig(), folds=CrossValidateConfig.model_validate(folds))


def cross_validated(problem: Problem, folder: Path, asked: CrossValidation) -> CrossValidationRef:
    return run_cross_validate(problem.features, problem.preprocessing, asked, folder / "home", folder / "work")


def test_every_row_is_predicted_once_by_a_model_that_did_not_see_it(problem: Problem, tmp_path: Path) -> None:
    made = cross_validated(problem, tmp_path, plan(folds=3, method="stratified"))
    found, table = read_cross_validation(made), pq.read_table(made.folder / OUT_OF_FOLD)
    assert table["row"].to_pylist() == list(range(ROWS["train"]))
    target = read_split(problem.features, problem.preprocessing, "train").target.numpy()
    np.testing.assert_array_equal(table["target"].to_numpy(), target)
    fold, probability = table["fold"].to_numpy(), table["probability_1"].to_numpy()
    by_hand = [log_loss(target[fold == each], probability[fold == each]) for each in range(3)]
    assert [each["metrics"]["log_loss"] for each in found["folds"]] == pytest.approx(by_hand)
    assert found["mean"]["log_loss"] == pytest.approx(np.mean(by_hand))
    assert found["deviation"]["log_loss"] == pytest.approx(np.std(by_hand, ddof=1))
    assert [each["trained_on"] + each["rows"] for each in found["folds"]] == [ROWS["train"]] * 3
    assert found["mean"]["roc_auc"] > 0.8


def test_a_killed_run_goes_on_with_its_fold_to_the_same_bytes(problem: Problem, tmp_path: Path) -> None:
    asked = plan(folds=3, method="kfold")
    whole = cross_validated(problem, tmp_path / "whole", asked)

    @contextmanager
    def killed_after_two(label: str, total: int, unit: str) -> Iterator[Advance]:
        done = 0

        def advance(amount: int = 1) -> None:
            nonlocal done
            done += amount
            if label == "folds" and done == 2:
                raise KeyboardInterrupt

        yield advance

    with pytest.raises(KeyboardInterrupt), listening(killed_after_two):
        cross_validated(problem, tmp_path / "killed", asked)
    notes = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "killed").rglob("fold-*.json")}
    assert set(notes) == {"fold-0.json", "fold-1.json"}
    assert cross_validated(problem, tmp_path / "killed", asked).digest == whole.digest
    after = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "killed").rglob("fold-*.json")}
    assert {name: after[name] for name in notes} == notes


def test_in_time_a_fold_learns_from_what_is_before_it(problem: Problem, tmp_path: Path) -> None:
    made = cross_validated(problem, tmp_path, plan(folds=3, method="time"))
    found, table = read_cross_validation(made), pq.read_table(made.folder / OUT_OF_FOLD)
    assert [each["trained_on"] for each in found["folds"]] == [150, 300, 450]
    assert found["predicted"] == table.num_rows == 450
    assert table["row"].to_pylist() == list(range(150, 600))


@pytest.mark.parametrize("method", ["over", "smotenc"])
def test_nothing_made_of_a_row_is_learned_from_while_it_is_predicted(
    method: str, problem: Problem, dask: DaskConfig, tmp_path: Path
) -> None:
    asked = AugmentConfig.model_validate({"balance": {"method": method}, "noise": {"share": 0.2}})
    features = run_augment(problem.features, problem.preprocessing, asked, tmp_path / "home", dask)
    job = TrainJob(features, problem.preprocessing, plan().train, tmp_path, tmp_path, AugmentConfig())
    material = job.material()
    assert len(material.train) > ROWS["train"]
    assignment = assign(job, material, CrossValidateConfig(folds=4, method="stratified"))
    parents = [job.training_column(name).to_numpy() for name in (PARENT, PARENT_2)]  # type: ignore[union-attr]
    times_predicted = np.zeros(ROWS["train"], int)
    for held_out in range(4):
        predicted, learned = assignment.predicted(held_out), assignment.learned(held_out)
        positions = assignment.position[predicted]
        times_predicted[positions] += 1
        assert not np.isin(parents[0][learned], positions).any()
        assert not np.isin(parents[1][learned], positions).any()
        assert learned.sum() > 0.5 * len(material.train)
    assert (times_predicted == 1).all()


def test_a_class_that_a_fold_lacks_is_named_with_the_fold(tmp_path: Path) -> None:
    problem = write_problem(tmp_path, ("early", "late", "never"), rows={"train": 60, "validation": 40, "test": 10})
    with pytest.raises(
        TrainingError, match=r"cross_validate: fold \d+ of 30: class '\w+' does not occur among its own"
    ):
        cross_validated(problem, tmp_path, plan(folds=30, method="kfold"))


def test_auto_with_groups_searches_within_the_rows_that_a_fold_leaves(problem: Problem, tmp_path: Path) -> None:
    model = AutoConfig(candidates=(LinearConfig(), TREES), folds=2, group="c")
    config = TINY.model_copy(update={"model": model, "rounds": 1})
    whole = TrainJob(problem.features, problem.preprocessing, config, tmp_path / "a", tmp_path / "b", AugmentConfig())
    learned = np.arange(ROWS["train"]) % 3 != 0
    job = HeldOutJob(
        whole.features, whole.preprocessing, config, whole.home, whole.work, whole.augment, whole.material(), learned
    )
    assert len(job.material().train) == 400
    assert train(job).folder.is_dir()
