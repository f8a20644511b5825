"""Models of any target that know the truth up to a flaw, and the rows and evaluations that two of them share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from tasks.data.parquet import write_parquet
from tasks.evaluation.findings import metrics_of
from tasks.evaluation.held_out import PREDICTIONS, Truth, plain_truth, predictions_table
from tasks.export.prediction_paths import TrainingPath
from tasks.prediction.decision import Decision
from tasks.prediction.predictions import predictions
from tasks.preprocessing.constants import Preprocessing
from tasks.preprocessing.targets import ClassTarget, LabelsTarget, NumberTarget, Target
from tasks.preprocessing.transform import transform
from tasks.references import BundleRef, DatasetRef, EvaluationRef, SplitRef
from tasks.storage import write_json
from tests.tasks.export import small_model
from tests.tasks.export.conftest import write_dataset
from tests.tasks.export.small_bundle import Candidate, LinearPredictor, linear_network, write_from

ROWS = 300
GOOD = ClassTarget(column="good", source="boolean", classes=(False, True))
TARGETS: dict[str, Target] = {
    "binary": GOOD,
    "multiclass": ClassTarget(column="good", source="string", classes=("a", "b", "c")),
    "multilabel": LabelsTarget(labels=("good", "late")),
    "regression": NumberTarget(column="good", source="number", center=5.0, spread=2.0),
    "quantile": NumberTarget(column="good", source="number", center=5.0, spread=2.0, quantiles=(0.1, 0.5, 0.9)),
}


@dataclass(frozen=True)
class Contestant:
    """A candidate bundle, its training path, and the evaluation that belongs to it."""

    candidate: Candidate
    bundle: BundleRef
    evaluation: EvaluationRef
    metrics: dict[str, float]


def write_rows(home: Path) -> tuple[DatasetRef, SplitRef]:
    """Write the clean dataset, all of it in the test split but for a few training rows."""
    codes = [np.full(ROWS, 2, np.uint8), np.zeros(20, np.uint8)]
    return write_dataset(home, [small_model.some_rows(len(each), seed=seed) for seed, each in enumerate(codes)], codes)


@cache
def contestant(
    home: Path, *, flaw: float = 1.0, target: Target = GOOD, named: str = "", groups: int | None = None
) -> Contestant:
    """Write a model whose weights are those that the truth is drawn from, disturbed; the same is written once.

    Args:
        home: Where.
        flaw: How much they are disturbed; more is worse.
        target: What is predicted.
        named: Another name gives another digest, and nothing else.
        groups: In how many groups the rows come.
    """
    constants = _constants(target)
    predictor = LinearPredictor(constants)
    truth = Truth(_truth(target), None if groups is None else np.arange(ROWS) % groups)
    disturbance = np.random.default_rng(11).normal(size=predictor.weights.shape)
    predictor.weights = (predictor.weights + flaw * disturbance).astype(np.float32)
    training = TrainingPath(constants, predictor)
    candidate = write_from(home, training, linear_network(predictor.weights), f"{flaw} {named}")
    predicted = predictions(predictor.scores(_numeric()), target, Decision())
    folder = home / "evaluations" / f"{candidate.reference.digest}-{groups}"
    metrics = metrics_of(target, truth, predicted)
    write_json(folder / "metrics.json", {"test": metrics, "baselines": {}, "rows": ROWS})
    write_parquet(predictions_table(truth, predicted), folder / PREDICTIONS)
    return Contestant(candidate, candidate.reference, EvaluationRef(path=str(folder), digest="e0"), metrics)


def _constants(target: Target) -> Preprocessing:
    """Leave dates out, whose calendar takes longest to write as a graph."""
    constants = small_model.preprocessing()
    plain = tuple(feature for feature in constants.numeric if feature.part is None)
    return constants.model_copy(update={"target": target, "numeric": plain, "categorical": constants.categorical[:1]})


@cache
def _numeric() -> np.ndarray:
    return transform(small_model.some_rows(ROWS), _constants(GOOD)).numeric


def _truth(target: Target) -> np.ndarray:
    random = np.random.default_rng(12)
    scores = LinearPredictor(_constants(target)).scores(_numeric())
    if isinstance(target, ClassTarget):
        return np.asarray((scores + 0.5 * random.gumbel(size=scores.shape)).argmax(axis=1))
    if isinstance(target, LabelsTarget):
        return np.asarray(scores + 0.5 * random.logistic(size=scores.shape) > 0)
    middle = scores[:, scores.shape[1] // 2]
    return plain_truth(middle + 0.5 * random.normal(size=ROWS), target)
