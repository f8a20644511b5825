from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tasks.calibration.calibrate import CALIBRATION
from tasks.errors import ConfigError, IntegrityError, TrainingError
from tasks.evaluation.evaluate import EvaluateConfig, read_curves, read_metrics
from tasks.evaluation.findings import metrics_of
from tasks.evaluation.held_out import read_predictions
from tasks.metrics.table import metric_names
from tests.tasks.evaluation.small_models import DAYS, ROWS, TARGETS, SmallModel, small_model

ModelOf = Callable[[str], SmallModel]
BASELINES = {
    "binary": {"majority", "logistic"},
    "multiclass": {"majority", "logistic"},
    "multilabel": {"prior"},
    "regression": {"mean", "median", "ridge"},
    "quantile": {"quantiles"},
}
CURVES = {
    "binary": {"classes"},
    "multiclass": {"classes"},
    "multilabel": {"classes"},
    "regression": {"scatter", "residuals", "by_prediction"},
    "quantile": {"scatter", "quantiles"},
}


@pytest.mark.parametrize("problem", TARGETS)
def test_what_is_written_agrees_with_itself(problem: Any, model_of: ModelOf, tmp_path: Path) -> None:
    model = model_of(problem)
    ref = model.evaluate(tmp_path)
    metrics, curves = read_metrics(ref), read_curves(ref)
    truth, predicted = read_predictions(ref, model.target)
    assert len(truth) == metrics["rows"] == ROWS["test"]
    assert metrics["problem"] == problem
    assert metrics["test"] == metrics_of(model.target, truth, predicted)
    assert set(metrics["test"]) == set(metrics["intervals"]) == set(metric_names(problem))
    assert all(low <= high for low, high in metrics["intervals"].values())
    assert metrics["bootstrap"] == {"resamples": 20, "confidence": 0.95, "seed": 0, "groups": None}
    assert set(metrics["baselines"]) == BASELINES[problem]
    assert set(curves) == CURVES[problem]
    assert "uncalibrated" not in metrics
    json.dumps([metrics, curves], allow_nan=False)


def test_the_details_of_each_problem(model_of: ModelOf, tmp_path: Path) -> None:
    found = {problem: read_metrics(model_of(problem).evaluate(tmp_path)) for problem in TARGETS}
    assert found["binary"]["classes"] == [False, True]
    assert sum(map(sum, found["multiclass"]["confusion"])) == ROWS["test"]
    assert [line["class"] for line in found["multiclass"]["per_class"]] == ["early", "late", "on time"]
    assert [line["class"] for line in found["multilabel"]["per_class"]] == ["late", "full"]
    assert [line["quantile"] for line in found["quantile"]["per_quantile"]] == [0.1, 0.5, 0.9]
    assert found["binary"]["baselines"]["majority"]["roc_auc"] == 0.5
    assert found["binary"]["baselines"]["logistic"]["roc_auc"] > 0.8
    assert found["regression"]["baselines"]["mean"]["r2"] == pytest.approx(0.0, abs=0.1)
    assert found["regression"]["baselines"]["ridge"]["r2"] > 0.5


def test_a_zero_stays_a_zero_through_the_standardization(tmp_path: Path) -> None:
    model = small_model(tmp_path, "regression")
    ref = model.evaluate(tmp_path)
    truth, _ = read_predictions(ref, model.target)
    assert (truth.values == truth.values.round()).all()
    assert read_metrics(ref)["zero_targets"] == int((truth.values == 0).sum())


@pytest.mark.parametrize(
    ("problem", "section", "metric"),
    [
        ("binary", {"method": "isotonic", "threshold": {"rule": "f1"}}, "ece"),
        ("multilabel", {"method": "temperature"}, "log_loss"),
        ("quantile", {"method": "conformal"}, "coverage_gap"),
    ],
)
def test_calibration_is_measured_before_and_after(problem: str, section: Any, metric: str, tmp_path: Path) -> None:
    ref = small_model(tmp_path, problem, **section).evaluate(tmp_path)
    metrics, curves = read_metrics(ref), read_curves(ref)
    assert metrics["uncalibrated"][metric] > metrics["test"][metric]
    assert len(curves["uncalibrated"]) == len(curves.get("classes", ()))


def test_the_digest_is_of_the_content_alone(model_of: ModelOf, tmp_path: Path) -> None:
    first, second = (model_of("binary").evaluate(tmp_path / name) for name in ("one", "two"))
    assert first.digest == second.digest == Path(first.path).name
    other = model_of("binary").evaluate(tmp_path / "one", logistic=None)
    assert set(read_metrics(other)["baselines"]) == {"majority"}


def test_groups_are_kept_and_drawn_whole(model_of: ModelOf, tmp_path: Path) -> None:
    ref = model_of("binary").evaluate(tmp_path, groups="day")
    assert read_metrics(ref)["bootstrap"]["groups"] == DAYS
    truth, _ = read_predictions(ref, model_of("binary").target)
    assert truth.groups is not None
    assert set(truth.groups) == set(range(DAYS))


def test_groups_that_the_features_do_not_hold_are_named(model_of: ModelOf, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"evaluate\.groups.*`week`[^$]*preprocess\.keep: \[week\]"):
        model_of("binary").evaluate(tmp_path, groups="week")


def test_an_empty_test_split_is_named(tmp_path: Path) -> None:
    model = small_model(tmp_path, "binary", rows={"train": 60, "validation": 60, "test": 0})
    with pytest.raises(TrainingError, match="the test split has no row"):
        model.evaluate(tmp_path)


def test_a_calibration_of_another_checkpoint_is_refused(tmp_path: Path) -> None:
    model = small_model(tmp_path, "binary")
    path = Path(model.calibration.path) / CALIBRATION
    path.write_text(path.read_text().replace(model.checkpoint.digest, "another"))
    with pytest.raises(IntegrityError, match="of checkpoint another"):
        model.evaluate(tmp_path)


@pytest.mark.parametrize(
    "settings", [{"bootstrap": -1}, {"confidence": 1.0}, {"bootstraps": 3}, {"seed": -1}, {"ridge": {"penalty": 0}}]
)
def test_a_config_that_cannot_be_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        EvaluateConfig.model_validate(settings)
