"""Evaluate a trained model on the held-out split, beside the baselines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt

from tasks.calibration.calibrate import read_calibration
from tasks.data.parquet import write_parquet
from tasks.evaluation.baselines import (
    LogisticConfig,
    RidgeConfig,
    constant_baselines,
    logistic_baseline,
    ridge_baseline,
)
from tasks.evaluation.findings import curves_of, findings, metrics_of, uncalibrated_curves
from tasks.evaluation.held_out import PREDICTIONS, plain_truth, predictions_table, read_truth
from tasks.evaluation.predicted import describe_predictions
from tasks.metrics.bootstrap import Resampling
from tasks.metrics.weighted import Floats
from tasks.models.checkpoint import load_predictor
from tasks.models.predictor import Predictor
from tasks.models.spec import FeatureSpec, spec_of
from tasks.prediction.decision import Decision, read_decision
from tasks.prediction.predictions import Predictions, predictions
from tasks.preprocessing.constants import Preprocessing
from tasks.preprocessing.fit import read_preprocessing
from tasks.preprocessing.targets import ClassTarget, NumberTarget
from tasks.progress import progress
from tasks.references import CalibrationRef, CheckpointRef, DatasetRef, EvaluationRef, PreprocessingRef
from tasks.slices.config import SlicesConfig
from tasks.storage import DigestName, naming_lost, new_folder, write_json
from tasks.training.randomness import reproducible
from tasks.training.splits import SplitTensors, read_split

METRICS, CURVES = "metrics.json", "curves.json"

_SPLIT = "test"


class EvaluateConfig(BaseModel):
    """How a model is evaluated.

    Attributes:
        bootstrap: Resamples behind each metric's interval; 0 for no intervals.
        confidence: The share of the resamples that an interval holds.
        seed: Of the resamples.
        groups: A raw column that `preprocess.keep` carries along. Rows that share its value are drawn together, which
            is due where the split keeps them together too; by default each row is drawn by itself.
        logistic: The logistic-regression baseline of classes, or null to leave it out.
        ridge: The ridge-regression baseline of numbers, or null to leave it out.
        curve_points: Most points of a curve.
        threads: Threads of torch; one by default, so that scores are the same on every machine of one kind.
        slices: On which parts of the test split the model is measured too (`tasks.slices`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    bootstrap: int = Field(default=200, ge=0, le=10_000)
    confidence: float = Field(default=0.95, gt=0, lt=1)
    seed: NonNegativeInt = 0
    groups: str | None = None
    logistic: LogisticConfig | None = LogisticConfig()
    ridge: RidgeConfig | None = RidgeConfig()
    curve_points: int = Field(default=200, ge=2, le=200)
    threads: PositiveInt = 1
    slices: SlicesConfig = SlicesConfig()


def run_evaluate(
    features: DatasetRef,
    preprocessing: PreprocessingRef,
    checkpoint: CheckpointRef,
    calibration: CalibrationRef,
    config: EvaluateConfig,
    home: Path,
) -> EvaluationRef:
    """Measure a model on the test split.

    Writes `home/evaluations/<digest>/` with metrics.json (see `tasks.evaluation.findings.findings`; with `baselines`,
    the metrics of each, `predictions`, which `tasks.evaluation.predicted` describes, and, where calibration changed
    anything, `uncalibrated`, those without it), curves.json
    (`tasks.evaluation.findings.curves_of`, with `uncalibrated`) and predictions.parquet
    (`tasks.evaluation.held_out.predictions_table`).

    Raises:
        TrainingError: The training or the test split has no row.
        ConfigError: `groups` names a column that the features dataset does not hold.
        IntegrityError: The checkpoint or the calibration is not whole, or they do not belong together.
    """
    fitted = read_preprocessing(preprocessing)
    target = fitted.target
    read_calibration(calibration, checkpoint)
    decision = read_decision(calibration)
    held_out = read_split(features, preprocessing, _SPLIT)
    truth = read_truth(features, target, _SPLIT, config.groups)
    with progress("evaluation", 2, "models") as advance:
        scores = score(load_predictor(checkpoint), held_out, config.threads)
        advance()
        baselines = _baselines(read_split(features, preprocessing, "train"), held_out, fitted, config)
        advance()
    predicted = predictions(scores, target, decision)
    resampling = Resampling(config.bootstrap, config.confidence, config.seed, truth.groups)
    metrics = {
        **findings(target, truth, predicted, resampling),
        "baselines": {name: metrics_of(target, truth, each) for name, each in baselines.items()},
        "predictions": describe_predictions(target, predicted),
    }
    plots = curves_of(target, truth, predicted, config.curve_points)
    if decision != Decision():
        before = predictions(scores, target, Decision())
        metrics["uncalibrated"] = metrics_of(target, truth, before)
        plots["uncalibrated"] = uncalibrated_curves(target, truth, before)
    return _write(home, metrics, plots, predictions_table(truth, predicted))


def score(predictor: Predictor, split: SplitTensors, threads: int = 1) -> Floats:
    """Return a model's scores of a split, float64 `[N, O]`, the same on every machine of one kind."""
    with reproducible(seed=0, threads=threads):
        return predictor.scores(*(each.numpy() for each in split.inputs))


def _baselines(
    train: SplitTensors, held_out: SplitTensors, fitted: Preprocessing, config: EvaluateConfig
) -> dict[str, Predictions]:
    target, spec = fitted.target, spec_of(fitted)
    found = constant_baselines(target, plain_truth(train.target.numpy(), target), len(held_out))
    if not isinstance(spec, FeatureSpec):
        return found
    if isinstance(target, ClassTarget) and config.logistic is not None:
        found["logistic"] = logistic_baseline(train, held_out, spec, target, config.logistic)
    if isinstance(target, NumberTarget) and not target.quantiles and config.ridge is not None:
        found["ridge"] = ridge_baseline(train, held_out, spec, target, config.ridge)
    return found


def _write(home: Path, metrics: dict[str, Any], plots: dict[str, Any], answers: pa.Table) -> EvaluationRef:
    parent = home / "evaluations"
    named = DigestName()
    with new_folder(parent, named) as folder:
        write_json(folder / METRICS, metrics)
        write_json(folder / CURVES, plots)
        write_parquet(answers, folder / PREDICTIONS, compression="zstd")
    return EvaluationRef(path=str(parent / named.digest), digest=named.digest)


def read_metrics(evaluation: EvaluationRef) -> dict[str, Any]:
    """Read `metrics.json`.

    Raises:
        IntegrityError: The file is gone.
    """
    return _read(evaluation, METRICS)


def read_curves(evaluation: EvaluationRef) -> dict[str, Any]:
    """Read `curves.json`.

    Raises:
        IntegrityError: The file is gone.
    """
    return _read(evaluation, CURVES)


def _read(evaluation: EvaluationRef, name: str) -> dict[str, Any]:
    path = evaluation.folder / name
    with naming_lost(path, "the evaluation is"):
        found: dict[str, Any] = json.loads(path.read_bytes())
    return found
