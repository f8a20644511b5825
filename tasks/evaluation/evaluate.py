"""Evaluate a trained network on the held-out split, beside the baselines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from tasks.data.parquet import write_parquet
from tasks.evaluation.baselines import LogisticConfig, logistic_probabilities, majority_probabilities
from tasks.evaluation.curves import curves
from tasks.evaluation.metrics import Floats, classification_metrics, confusion
from tasks.preprocessing.fit import read_preprocessing
from tasks.progress import progress
from tasks.references import CheckpointRef, DatasetRef, EvaluationRef, PreprocessingRef
from tasks.storage import DigestName, naming_lost, new_folder, write_json
from tasks.training.checkpoint import load_network
from tasks.training.models.spec import FeatureSpec, TabularNetwork
from tasks.training.randomness import reproducible
from tasks.training.splits import SplitTensors, read_split

METRICS, CURVES, PREDICTIONS = "metrics.json", "curves.json", "predictions.parquet"

_SPLIT = "test"


class EvaluateConfig(BaseModel):
    """How a network is evaluated.

    Attributes:
        logistic: The logistic-regression baseline, or null to leave it out.
        curve_points: Most points of a curve.
        batch_size: Rows scored at once.
        threads: Threads of torch; one by default, so that scores are the same on every machine of one kind.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    logistic: LogisticConfig | None = LogisticConfig()
    curve_points: int = Field(default=200, ge=2, le=200)
    batch_size: PositiveInt = 8192
    threads: PositiveInt = 1


def run_evaluate(
    features: DatasetRef,
    preprocessing: PreprocessingRef,
    checkpoint: CheckpointRef,
    config: EvaluateConfig,
    home: Path,
) -> EvaluationRef:
    """Measure a network on the test split.

    Writes `home/evaluations/<digest>/` with metrics.json (`test`, `baselines`, `rows`, `confusion`, `classes`),
    curves.json (see `tasks.evaluation.curves.curves`) and predictions.parquet (`target` int64 and one float64
    column `probability_<index>` for each class, in row order).

    Raises:
        TrainingError: The training or the test split has no row.
        IntegrityError: The checkpoint is not whole.
    """
    fitted = read_preprocessing(preprocessing)
    held_out = read_split(features, preprocessing, _SPLIT)
    target = held_out.target.numpy()
    with progress("evaluation", 2, "models") as advance:
        probabilities = predict(load_network(checkpoint), held_out, config)
        advance()
        baselines = _baselines(read_split(features, preprocessing, "train"), held_out, FeatureSpec.of(fitted), config)
        advance()
    classes = list(fitted.target.classes)
    metrics = {
        "test": classification_metrics(target, probabilities),
        "baselines": {name: classification_metrics(target, scores) for name, scores in baselines.items()},
        "rows": len(held_out),
        "confusion": confusion(target, probabilities),
        "classes": classes,
    }
    plots = curves(target, probabilities, classes=classes, points=config.curve_points)
    return _write(home, metrics, plots, _predictions(held_out, probabilities))


def predict(network: TabularNetwork, split: SplitTensors, config: EvaluateConfig) -> Floats:
    """Return the probabilities of a split, float64 `[N, C]`; the softmax is computed in float64."""
    scores = []
    with reproducible(seed=0, threads=config.threads), torch.inference_mode():
        for start in range(0, len(split), config.batch_size):
            numeric, categorical, _ = split.rows(slice(start, start + config.batch_size))
            scores.append(torch.softmax(network(numeric, categorical).double(), dim=1).numpy())
    return np.concatenate(scores)


def _baselines(
    train: SplitTensors, held_out: SplitTensors, spec: FeatureSpec, config: EvaluateConfig
) -> dict[str, Floats]:
    scores = {"majority": majority_probabilities(train.target.numpy(), len(held_out), spec.classes)}
    if config.logistic is not None:
        scores["logistic"] = logistic_probabilities(train, held_out, spec, config.logistic)
    return scores


def _predictions(held_out: SplitTensors, probabilities: Floats) -> pa.Table:
    columns: dict[str, Any] = {"target": held_out.target.numpy()}
    for index in range(probabilities.shape[1]):
        columns[f"probability_{index}"] = np.ascontiguousarray(probabilities[:, index])
    return pa.table(columns)


def _write(home: Path, metrics: dict[str, Any], plots: list[dict[str, Any]], predictions: pa.Table) -> EvaluationRef:
    parent = home / "evaluations"
    named = DigestName()
    with new_folder(parent, named) as folder:
        write_json(folder / METRICS, metrics)
        write_json(folder / CURVES, {"classes": plots})
        write_parquet(predictions, folder / PREDICTIONS, compression="zstd")
    return EvaluationRef(path=str(parent / named.digest), digest=named.digest)


def read_metrics(evaluation: EvaluationRef) -> dict[str, Any]:
    """Read `metrics.json`.

    Raises:
        IntegrityError: The file is gone.
    """
    metrics: dict[str, Any] = _read(evaluation, METRICS)
    return metrics


def read_curves(evaluation: EvaluationRef) -> list[dict[str, Any]]:
    """Read the curves of each class; see `tasks.evaluation.curves.curves`.

    Raises:
        IntegrityError: The file is gone.
    """
    classes: list[dict[str, Any]] = _read(evaluation, CURVES)["classes"]
    return classes


def _read(evaluation: EvaluationRef, name: str) -> Any:
    path = evaluation.folder / name
    with naming_lost(path, "the evaluation is"):
        return json.loads(path.read_bytes())
