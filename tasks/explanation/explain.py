"""Explain a trained model: which columns matter on the test split, and what moved the score of single rows."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.calibration.calibrate import read_calibration
from tasks.errors import ConfigError
from tasks.evaluation.held_out import plain_truth
from tasks.explanation.columns import Floats, Inputs, column_features
from tasks.explanation.config import AUTO, ExplainConfig
from tasks.explanation.examples import chosen_rows, explain_rows, score_weights
from tasks.explanation.importance import Judge, importances, most_moving
from tasks.metrics.row_losses import LOSS_OF, row_losses
from tasks.metrics.selection import metrics_of
from tasks.models.checkpoint import load_predictor
from tasks.models.predictor import Predictor
from tasks.prediction.decision import Decision, read_decision
from tasks.prediction.predictions import predictions
from tasks.preprocessing.constants import Preprocessing
from tasks.preprocessing.fit import read_preprocessing
from tasks.preprocessing.targets import NumberTarget
from tasks.references import CalibrationRef, CheckpointRef, DatasetRef, ExplanationRef, PreprocessingRef
from tasks.storage import DigestName, naming_lost, new_folder, write_json
from tasks.training.randomness import reproducible
from tasks.training.splits import SplitTensors, read_split

EXPLANATION = "explanation.json"

# Rows by which the columns worth permuting are told from the others.
_GLANCED = 100


def run_explain(
    features: DatasetRef,
    preprocessing: PreprocessingRef,
    checkpoint: CheckpointRef,
    calibration: CalibrationRef,
    config: ExplainConfig,
    home: Path,
) -> ExplanationRef:
    """Explain a model of a table on the test split.

    Writes `home/explanations/<digest>/explanation.json`, with None for what the config does not ask for:

    - `importance`: `metric`, its `value`, `rows`, `repeats`, `columns`: `column`, `mean` and `deviation` of each,
      the greatest first, and how many columns were `left_out`.
    - `examples`: `method`, `loss`, `background` and `rows`: of each its position `row` in the test split, why it was
      `chosen`, its `loss`, which score is explained (`of`), the `score` before calibration, the `base` that it is set
      against, what each raw column adds to that (`columns`, the greatest first), and the `remainder` that no
      column got.

    Raises:
        ConfigError: The model is of images.
        DataError: The metric is undefined for the rows that were chosen.
        TrainingError: The training or the test split has no row.
        IntegrityError: The checkpoint or the calibration is not whole, or they do not belong together.
    """
    fitted = read_preprocessing(preprocessing)
    if fitted.image is not None:
        raise ConfigError("explain: a model of images has no columns to explain it by\n  do: leave the section out")
    read_calibration(calibration, checkpoint)
    held_out, train = (read_split(features, preprocessing, split) for split in ("test", "train"))
    model = load_predictor(checkpoint)
    explained: dict[str, Any] = {"importance": None, "examples": None}
    with reproducible(config.seed, config.threads):
        if config.importance is not None:
            explained["importance"] = _importance(model, held_out, fitted, read_decision(calibration), config)
        if config.examples:
            background = _inputs(train, _sample(len(train), config.background, config.seed))
            explained["examples"] = _examples(model, held_out, background, fitted, read_decision(calibration), config)
    named = DigestName()
    with new_folder(home / "explanations", named) as folder:
        write_json(folder / EXPLANATION, explained)
    return ExplanationRef(path=str(home / "explanations" / named.digest), digest=named.digest)


def _importance(
    model: Predictor, held_out: SplitTensors, fitted: Preprocessing, decision: Decision, config: ExplainConfig
) -> dict[str, Any]:
    asked = config.importance
    assert asked is not None
    target = fitted.target
    rows = _sample(len(held_out), asked.rows, config.seed)
    metric = metrics_of(target.problem)[0] if asked.metric == AUTO else asked.metric
    draws = [np.random.default_rng([config.seed, repeat]).permutation(len(rows)) for repeat in range(asked.repeats)]
    columns, glanced = column_features(fitted), rows[:_GLANCED]
    shuffled = np.random.default_rng(config.seed).permutation(len(glanced))
    chosen = most_moving(model, _inputs(held_out, glanced), columns, asked.columns, shuffled)
    truth = plain_truth(held_out.target.numpy()[rows], target)
    judge = Judge(target, decision, metric)
    whole, found = importances(model, _inputs(held_out, rows), truth, chosen, judge, draws)
    return {
        "metric": metric,
        "value": whole,
        "rows": len(rows),
        "repeats": asked.repeats,
        "columns": [asdict(each) for each in found],
        "left_out": len(columns) - len(chosen),
    }


def _examples(
    model: Predictor,
    held_out: SplitTensors,
    background: Inputs,
    fitted: Preprocessing,
    decision: Decision,
    config: ExplainConfig,
) -> dict[str, Any]:
    target, columns = fitted.target, column_features(fitted)
    scores = model.scores(*_inputs(held_out, np.arange(len(held_out))))
    truth = plain_truth(held_out.target.numpy(), target)
    losses = row_losses(target, truth, predictions(scores, target, decision))
    chosen = chosen_rows(losses, config.examples, np.random.default_rng(config.seed))
    rows = np.array([row for row, _ in chosen])
    weights, names = score_weights(target, truth[rows], scores[rows])
    found = explain_rows(model, background, _inputs(held_out, rows), weights, columns, config.seed)
    told = [
        {
            "row": row,
            "chosen": why,
            "loss": float(losses[row]),
            "of": names[place],
            **_shares(float(scores[row] @ weights[place]), float(found.base[place]), found.columns[place], fitted),
        }
        for place, (row, why) in enumerate(chosen)
    ]
    return {
        "method": found.method,
        "loss": LOSS_OF[target.problem],
        "background": len(background[0]),
        "rows": told,
    }


def _shares(score: float, base: float, shares: Floats, fitted: Preprocessing) -> dict[str, Any]:
    # A standardized number is told in the target's own unit.
    center = fitted.target.center if isinstance(fitted.target, NumberTarget) else 0.0
    columns = zip(column_features(fitted), shares.tolist(), strict=True)
    return {
        "score": score + center,
        "base": base + center,
        "columns": [
            {"column": each.column, "adds": share} for each, share in sorted(columns, key=lambda one: -abs(one[1]))
        ],
        "remainder": score - base - float(shares.sum()),
    }


def _sample(rows: int, most: int, seed: int) -> NDArray[np.int64]:
    return np.sort(np.random.default_rng(seed).choice(rows, min(rows, most), replace=False))


def _inputs(split: SplitTensors, rows: NDArray[np.int64]) -> Inputs:
    return split.numeric.numpy()[rows], split.categorical.numpy()[rows]


def read_explanation(ref: ExplanationRef) -> dict[str, Any]:
    """Read `explanation.json`.

    Raises:
        IntegrityError: The file is gone.
    """
    path = ref.folder / EXPLANATION
    with naming_lost(path, "the explanation is"):
        found: dict[str, Any] = json.loads(path.read_bytes())
    return found
