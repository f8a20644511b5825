from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tasks.augmentation.accounting import read_augmentation
from tasks.augmentation.augment import run_augment
from tasks.augmentation.config import AugmentConfig
from tasks.augmentation.label_noise import LabelNoiseConfig, run_label_noise
from tasks.augmentation.rows import AUGMENTED, PARENT
from tasks.augmentation.suspects import SUSPECTED, read_label_noise
from tasks.data.parquet import read_parquet
from tasks.engine import DaskConfig
from tasks.errors import DataError, IntegrityError, TrainingError
from tasks.references import LabelNoiseRef
from tests.tasks.augmentation.problem import CLASSES, Problem, make_problem, train_table, with_column

ROWS = 1200
FLIPPED = 0.1
REPORT = LabelNoiseConfig(action="report", folds=4)


def _separable(flipped: float) -> pa.Table:
    """Three classes that two numbers and a colour tell apart; some labels are another class's."""
    random = np.random.default_rng(11)
    kind = random.choice(3, size=ROWS, p=[0.5, 0.3, 0.2])
    wrong = random.random(ROWS) < flipped
    given = np.where(wrong, (kind + random.integers(1, 3, ROWS)) % 3, kind)
    return pa.table(
        {
            "id": np.arange(ROWS),
            "x": np.asarray([-3.0, 0.0, 3.0])[kind] + random.normal(scale=0.6, size=ROWS),
            "y": random.normal(size=ROWS) + kind,
            "flag": random.random(ROWS) < 0.5,
            "colour": np.asarray(["red", "green", "blue"])[random.integers(0, 3, ROWS)],
            "day": random.integers(1, 8, ROWS),
            "kind": np.asarray(CLASSES)[given],
        }
    )


@pytest.fixture(scope="module")
def noisy(dask: DaskConfig, tmp_path_factory: pytest.TempPathFactory) -> Problem:
    folder = tmp_path_factory.mktemp("noisy")
    return make_problem(folder, dask, table=_separable(FLIPPED))


def _suspected(ref: LabelNoiseRef) -> pa.Table:
    return read_parquet(ref.folder / SUSPECTED)


def _look(problem: Problem, home: Path, **asked: Any) -> LabelNoiseRef:
    config = REPORT.model_copy(update=asked)
    return run_label_noise(problem.features, problem.preprocessing, config, home)


def _truth(problem: Problem) -> np.ndarray:
    """Which training rows carry a flipped label: those whose x lies with another class's."""
    x, target = problem.train.numeric[:, problem.position("x")], problem.train.target
    centres = [np.median(x[target == place]) for place in range(3)]
    return np.asarray(np.abs(x[:, None] - centres).argmin(axis=1) != target)


@pytest.mark.parametrize(("model", "most"), [("hist-gradient-boosting", 0.9), ("logistic", 0.8)])
def test_flipped_labels_are_found_and_clean_ones_left(model: str, most: float, noisy: Problem, home: Path) -> None:
    ref = _look(noisy, home, model=model)
    table, wrong = _suspected(ref), _truth(noisy)
    found = np.zeros(len(wrong), dtype=bool)
    found[table["position"].to_numpy()] = True
    assert (found & wrong).sum() >= most * wrong.sum()
    assert (found & ~wrong).sum() <= 0.03 * (~wrong).sum()
    assert ref.suspected == table.num_rows == found.sum()
    assert table["self_confidence"].to_pylist() == sorted(table["self_confidence"].to_pylist())
    given = [CLASSES[place] for place in noisy.train.target[table["position"].to_numpy()]]
    assert table["given"].to_pylist() == given
    assert all(first != second for first, second in zip(given, table["suggested"].to_pylist(), strict=True))


def test_the_report_estimates_how_much_is_wrong(noisy: Problem, home: Path) -> None:
    summary = read_label_noise(_look(noisy, home, folds=3))
    assert summary["estimated_noise"] == pytest.approx(FLIPPED, abs=0.03)
    assert (summary["rows"], summary["classes"]) == (len(noisy.train.target), list(CLASSES))
    assert np.asarray(summary["confident_joint"]).shape == (3, 3)
    assert sum(pair["suspected_rows"] for pair in summary["pairs"]) == summary["suspected"]
    estimated = [pair["estimated_rows"] for pair in summary["pairs"]]
    assert estimated == sorted(estimated, reverse=True)


def test_clean_labels_give_few_findings(dask: DaskConfig, home: Path, tmp_path: Path) -> None:
    clean = make_problem(tmp_path, dask, table=_separable(0.0))
    ref = _look(clean, home)
    assert ref.suspected <= 0.02 * ref.rows
    assert read_label_noise(ref)["estimated_noise"] < 0.03


def test_the_same_seed_gives_the_same_report_and_a_sample_another(noisy: Problem, home: Path) -> None:
    first = _look(noisy, home, model="logistic")
    assert _look(noisy, home, model="logistic") == first
    assert _look(noisy, home, model="logistic", seed=1).digest != first.digest
    sampled = _look(noisy, home, model="logistic", sample_rows=200)
    assert sampled.digest != first.digest
    assert abs(sampled.suspected - first.suspected) < 0.5 * first.suspected


def test_quarantined_rows_are_left_out_and_counted(noisy: Problem, home: Path, dask: DaskConfig) -> None:
    ref = _look(noisy, home, action="quarantine", model="logistic")
    config = AugmentConfig.model_validate({"balance": {"method": "over"}})
    new = run_augment(noisy.features, noisy.preprocessing, config, home, dask, ref)
    table, gone = train_table(new), set(_suspected(ref)["position"].to_pylist())
    original = set(table.filter(pa.array(~table[AUGMENTED].to_numpy(zero_copy_only=False)))[PARENT].to_pylist())
    assert original == set(range(len(noisy.train.target))) - gone
    assert gone.isdisjoint(table[PARENT].to_pylist())
    accounting = read_augmentation(new)
    assert sum(accounting.left_out["label_noise"].values()) == len(gone)
    assert len(set(accounting.after.values())) == 1
    alone = run_augment(noisy.features, noisy.preprocessing, AugmentConfig(when="batch"), home, dask, ref)
    assert train_table(alone).num_rows == len(original)
    assert read_augmentation(alone).added == {}


def test_a_report_on_another_dataset_is_refused(noisy: Problem, home: Path, dask: DaskConfig, tmp_path: Path) -> None:
    ref = _look(noisy, home, model="logistic")
    other = with_column(noisy.features, tmp_path, "origin", pa.int64())
    with pytest.raises(IntegrityError, match="expected a label noise report on dataset"):
        run_augment(other, noisy.preprocessing, AugmentConfig(), home, dask, ref)


def test_suspects_carry_the_columns_that_are_no_features(noisy: Problem, home: Path, tmp_path: Path) -> None:
    carried = with_column(noisy.features, tmp_path, "origin", pa.int64())
    config = REPORT.model_copy(update={"model": "logistic"})
    table = _suspected(run_label_noise(carried, noisy.preprocessing, config, home))
    assert table["origin"].to_pylist() == table["position"].to_pylist()


def test_too_many_suspects_stop_the_run_and_keep_the_report(noisy: Problem, home: Path) -> None:
    with pytest.raises(DataError, match=r"training rows \(.*%\) look mislabelled, and at most 1.0% may be left out"):
        _look(noisy, home, action="quarantine", model="logistic", max_share=0.01)
    assert len(list(home.glob(f"label_noise/*/{SUSPECTED}"))) == 1


def test_a_class_with_fewer_rows_than_folds_is_named(mixed: Problem, home: Path) -> None:
    rare = int(np.bincount(mixed.train.target).min())
    with pytest.raises(TrainingError, match=rf"each of the {rare + 1} folds .*: `.*` {rare}\n"):
        _look(mixed, home, folds=rare + 1)
