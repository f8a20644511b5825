"""Cross-validate: train on all folds but one, predict that one, and do so for every fold."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tasks.cross_validation.assignment import Assignment, assign, require_classes
from tasks.cross_validation.config import CrossValidation
from tasks.cross_validation.held_out import HeldOutJob
from tasks.data.parquet import write_parquet
from tasks.evaluation.held_out import Truth, plain_truth, predictions_table
from tasks.metrics.measures import measures_of
from tasks.metrics.weighted import Floats, values
from tasks.models.checkpoint import read_description
from tasks.prediction.decision import Decision
from tasks.prediction.predictions import predictions
from tasks.progress import progress
from tasks.references import CrossValidationRef, DatasetRef, PreprocessingRef
from tasks.storage import DigestName, digest_of, naming_lost, new_folder, write_json
from tasks.training.fit_blend import scores_of
from tasks.training.fold_job import chosen_rows
from tasks.training.job import Material, TrainJob, run_folder
from tasks.training.members import trained_once
from tasks.training.requirements import possible
from tasks.training.train import train

FOUND, OUT_OF_FOLD = "cross_validation.json", "oof.parquet"

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Fold:
    """What came of one fold: its record in `FOUND`, and its rows' places and scores float64 `[F, O]`."""

    record: dict[str, Any]
    places: np.ndarray[tuple[int], np.dtype[np.int64]]
    scores: Floats


def run_cross_validate(
    features: DatasetRef, preprocessing: PreprocessingRef, plan: CrossValidation, home: Path, work: Path
) -> CrossValidationRef:
    """Train and predict fold by fold.

    Every fold is trained as `run_train` would: the validation split, which is in no fold, chooses the best round. The
    preprocessing was fitted once, on the whole training split. No calibration and no threshold is applied.

    Writes `home/cross_validations/<digest>/` with cross_validation.json (`method`, `column`, `problem`, `rows`,
    `predicted`, `folds` with the metrics of each, and over them `mean` and `deviation`, that of a sample) and
    oof.parquet: `row` int64, the position in the training split; `fold` int8; then the columns of
    `tasks.evaluation.held_out.predictions_table`.

    Args:
        features: A features dataset with a training and a validation split. Rows that augmentation added are learned
            from where all they were made from is, and are never predicted.
        preprocessing: What made it.
        plan: What is trained, and the folds.
        home: Where the result is written.
        work: A folder that survives a kill. A run that is killed goes on with the fold that it was in.

    Raises:
        ConfigError: There are too few rows, groups or different times, the column is not in the dataset, or model or
            machine cannot do what the config says.
        TrainingError: A class or one side of a label is absent from a fold, a row has no time, or a training fails.
    """
    config = possible(plan.train, home, cross_validated=True)
    job = TrainJob(features, preprocessing, config, home, work, plan.augment.for_training)
    material = job.material()
    assignment = assign(job, material, plan.folds)
    require_classes(material, assignment, plan.folds.folds)
    folder = run_folder(work, material, config, job.augment) / digest_of(plan.folds.model_dump(mode="json"))[:16]
    with progress("folds", plan.folds.folds, "folds") as advance:
        done = []
        for held_out in range(plan.folds.folds):
            done.append(_predicted(replace(job, home=folder), material, assignment, held_out))
            advance()
    metrics = [fold.record["metrics"] for fold in done]
    found = {
        "method": plan.folds.method,
        "column": plan.folds.column,
        "problem": material.fitted.target.problem,
        "rows": int(assignment.original.sum()),
        "predicted": sum(len(fold.places) for fold in done),
        "folds": [fold.record for fold in done],
        **_summary(metrics),
    }
    return _write(home, found, _table(material, assignment, done))


def _predicted(job: TrainJob, material: Material, assignment: Assignment, held_out: int) -> _Fold:
    learned, places = assignment.learned(held_out), np.flatnonzero(assignment.predicted(held_out))
    fold_job = HeldOutJob(
        job.features, job.preprocessing, job.config, job.home, job.work, job.augment, data=material, learned=learned
    )
    done = trained_once(fold_job, job.home / f"fold-{held_out}.json", train)
    rows = chosen_rows(material.train, np.isin(np.arange(len(material.train)), places))
    scores, target = scores_of(done.checkpoint, rows, job), material.fitted.target
    truth = plain_truth(rows.target.numpy(), target)
    measured = values(measures_of(target, truth, predictions(scores, target, Decision())), len(rows))
    record = {
        "fold": held_out,
        "trained_on": int(learned.sum()),
        "rows": len(rows),
        "best_round": read_description(done.checkpoint).best_round,
        "metrics": measured,
    }
    name, value = next(iter(measured.items()))
    _logger.info("fold       %d: %s rows, %s %.4f", held_out + 1, f"{len(rows):,}", name.replace("_", " "), value)
    return _Fold(record, places, scores)


def _summary(metrics: list[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Return mean and deviation of every metric that all folds have."""
    names = [name for name in metrics[0] if all(name in each for each in metrics)]
    columns = {name: np.array([each[name] for each in metrics]) for name in names}
    return {
        "mean": {name: float(column.mean()) for name, column in columns.items()},
        "deviation": {name: float(column.std(ddof=1)) for name, column in columns.items()},
    }


def _table(material: Material, assignment: Assignment, done: list[_Fold]) -> pa.Table:
    places = np.concatenate([fold.places for fold in done])
    order = np.argsort(assignment.position[places], kind="stable")
    places, scores = places[order], np.concatenate([fold.scores for fold in done])[order]
    target = material.fitted.target
    truth = Truth(plain_truth(material.train.target.numpy()[places], target))
    table = predictions_table(truth, predictions(scores, target, Decision()))
    row = table.column_names.index("row")
    table = table.set_column(row, "row", pa.array(assignment.position[places]))
    return table.add_column(row + 1, "fold", pa.array(assignment.fold[places]))


def _write(home: Path, found: dict[str, Any], table: pa.Table) -> CrossValidationRef:
    parent = home / "cross_validations"
    named = DigestName()
    with new_folder(parent, named) as folder:
        write_json(folder / FOUND, found)
        write_parquet(table, folder / OUT_OF_FOLD, compression="zstd")
    return CrossValidationRef(path=str(parent / named.digest), digest=named.digest)


def read_cross_validation(ref: CrossValidationRef) -> dict[str, Any]:
    """Read `cross_validation.json`.

    Raises:
        IntegrityError: The file is gone.
    """
    path = ref.folder / FOUND
    with naming_lost(path, "the cross-validation is"):
        found: dict[str, Any] = json.loads(path.read_bytes())
    return found
