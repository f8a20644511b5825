from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasks.calibration.calibrate import calibrate, read_calibration, run_calibrate
from tasks.calibration.config import CalibrateConfig
from tasks.errors import ConfigError, IntegrityError, TrainingError
from tasks.models.checkpoint import ModelDescription, write_checkpoint
from tasks.models.registry import build_network
from tasks.models.spec import FeatureSpec
from tasks.prediction.decision import Decision, read_decision
from tasks.prediction.predictions import predictions
from tasks.preprocessing.targets import ClassTarget, LabelsTarget
from tasks.references import CheckpointRef
from tests.tasks.calibration.rows import class_rows, label_rows, measured
from tests.tasks.prediction.cases import BINARY, COLORS, PRICE, PRICES, TOPICS
from tests.tasks.training.fixtures import TINY, Problem, write_problem

MAKE = {BINARY.problem: (BINARY, class_rows), COLORS.problem: (COLORS, class_rows), "multilabel": (TOPICS, label_rows)}


@pytest.mark.parametrize("method", ["temperature", "isotonic"])
@pytest.mark.parametrize("problem", MAKE)
def test_a_model_too_sure_of_itself_is_calibrated_on_rows_it_never_saw(problem: str, method: Any) -> None:
    target, make = MAKE[problem]
    scores, truth = make(target.outputs, 6000, 3.0)
    decision, fitted = calibrate(scores, truth, target, CalibrateConfig(method=method))
    assert fitted.before.measures["ece"] > 0.08
    assert fitted.after.measures["ece"] < 0.02
    later = make(target.outputs, 6000, 3.0, seed=1)
    before, after = measured(later, target, Decision()), measured(later, target, decision)
    assert after["ece"] < 0.02
    assert after["log_loss"] < before["log_loss"] - 0.1
    if method == "temperature":
        assert decision.temperature == pytest.approx(3, rel=0.1)
    assert [curve.name for curve in fitted.after.reliability] == _names(target)
    assert all(sum(curve.count) == fitted.rows for curve in fitted.after.reliability)


def _names(target: ClassTarget | LabelsTarget) -> list[str]:
    if isinstance(target, LabelsTarget):
        return list(target.labels)
    return ["true"] if target is BINARY else list(map(str, target.classes))


def test_by_default_classes_get_a_temperature_and_numbers_nothing() -> None:
    scores, truth = class_rows(2, 500, 2.0)
    decision, fitted = calibrate(scores, truth, BINARY, CalibrateConfig())
    assert fitted.method == "temperature"
    assert decision == Decision(temperature=decision.temperature)
    numbers = np.random.default_rng(0).normal(size=(50, 3))
    assert calibrate(numbers[:, :1], numbers[:, 1], PRICE, CalibrateConfig())[0] == Decision()
    assert calibrate(numbers, numbers[:, 1], PRICES, CalibrateConfig())[0] == Decision()


def test_method_none_leaves_scores_alone_and_a_rule_still_chooses() -> None:
    scores, truth = class_rows(2, 500, 2.0)
    config = CalibrateConfig.model_validate({"method": "none", "threshold": {"rule": "fixed", "value": 0.3}})
    decision, fitted = calibrate(scores, truth, BINARY, config)
    assert decision == Decision(thresholds=(0.3,))
    assert fitted.before == fitted.after
    labels = predictions(scores, BINARY, decision).labels
    assert labels is not None
    (chosen,) = fitted.thresholds
    assert chosen.called == labels.sum()
    assert chosen.recall == pytest.approx((labels & truth).sum() / truth.sum())


def test_every_label_gets_its_own_threshold() -> None:
    scores, truth = label_rows(3, 2000, 1.0)
    config = CalibrateConfig.model_validate({"threshold": {"rule": "recall_at", "recall": 0.8}})
    decision, fitted = calibrate(scores, truth, TOPICS, config)
    labels = predictions(scores, TOPICS, decision).labels
    assert labels is not None
    recalls = (labels & (truth > 0.5)).sum(axis=0) / truth.sum(axis=0)
    assert (recalls >= 0.8).all()
    assert [chosen.name for chosen in fitted.thresholds] == list(TOPICS.labels)
    np.testing.assert_allclose([chosen.recall for chosen in fitted.thresholds], recalls)


def test_a_label_that_is_not_named_keeps_a_half() -> None:
    scores, truth = label_rows(3, 200, 1.0)
    config = CalibrateConfig.model_validate({"threshold": {"rule": "fixed", "value": {"art": 0.2}}})
    assert calibrate(scores, truth, TOPICS, config)[0].thresholds == (0.5, 0.5, 0.2)


@pytest.mark.parametrize(
    ("settings", "truth", "said"),
    [
        ({}, [1] * 400, "all 400 validation rows have the same class"),
        ({"method": "isotonic"}, [0, 1] * 50, "isotonic curves need 300 validation rows, and there are 100"),
        ({"method": "isotonic"}, [0] * 390 + [1] * 10, "an isotonic curve for `true` needs 30 validation rows of it"),
        ({"method": "none", "threshold": {"rule": "f1"}}, [0] * 9, "a threshold for `true` needs 1 validation rows"),
    ],
)
def test_rows_that_cannot_tell_are_refused(settings: dict[str, Any], truth: list[int], said: str) -> None:
    values = np.array(truth)
    with pytest.raises(TrainingError, match=said):
        calibrate(class_rows(2, len(values), 1.0)[0], values, BINARY, CalibrateConfig.model_validate(settings))


def test_a_class_that_is_absent_is_named() -> None:
    scores, truth = class_rows(3, 900, 1.0)
    present = truth != 1
    with pytest.raises(TrainingError, match=r"`green` needs 30 .* rows 0 are of it"):
        calibrate(scores[present], truth[present], COLORS, CalibrateConfig(method="isotonic"))
    assert calibrate(scores[present], truth[present], COLORS, CalibrateConfig())[0].temperature > 0


@pytest.fixture(scope="module")
def problem(tmp_path_factory: pytest.TempPathFactory) -> Problem:
    return write_problem(tmp_path_factory.mktemp("problem"))


@pytest.fixture(scope="module")
def checkpoint(problem: Problem, tmp_path_factory: pytest.TempPathFactory) -> CheckpointRef:
    features = FeatureSpec.of(problem.constants)
    weights = build_network(TINY.model, features).state_dict()
    described = ModelDescription(
        model=TINY.model, features=features, target=problem.constants.target, best_round=1, training="t0"
    )
    return write_checkpoint(tmp_path_factory.mktemp("home"), described, weights, [])


def test_what_is_written_is_read_and_the_same_again(
    problem: Problem, checkpoint: CheckpointRef, tmp_path: Path
) -> None:
    config = CalibrateConfig.model_validate({"threshold": {"rule": "youden"}})
    written = [
        run_calibrate(problem.features, problem.preprocessing, checkpoint, config, tmp_path / name) for name in "ab"
    ]
    assert written[0].digest == written[1].digest
    assert {path.name for path in Path(written[0].path).iterdir()} == {"decision.json", "calibration.json"}
    fitted = read_calibration(written[0], checkpoint)
    assert fitted.rows == 200
    assert read_decision(written[0]).thresholds == (fitted.thresholds[0].threshold,)
    assert json.loads(json.dumps(fitted.proof))["thresholds"] == {"true": fitted.thresholds[0].threshold}
    with pytest.raises(IntegrityError, match="not of another"):
        read_calibration(written[0], checkpoint.model_copy(update={"digest": "another"}))


def test_what_the_fitted_problem_cannot_have_is_refused(tmp_path: Path) -> None:
    three = write_problem(tmp_path, ("a", "b", "c"))
    config = CalibrateConfig.model_validate({"threshold": {"rule": "f1"}})
    with pytest.raises(ConfigError, match="a multiclass problem is not decided by thresholds"):
        run_calibrate(three.features, three.preprocessing, CheckpointRef(path="x", digest="x"), config, tmp_path)
