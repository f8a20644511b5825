"""Measure a model on parts of the test split: groups of columns, the worst slices, protected columns."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from tasks.data.split import read_split
from tasks.errors import IntegrityError
from tasks.evaluation.held_out import Truth, read_predictions
from tasks.metrics.measures import measures_of
from tasks.metrics.row_losses import LOSS_OF, row_losses, rows_of
from tasks.metrics.weighted import Integers, values
from tasks.prediction.predictions import Predictions
from tasks.preprocessing.fit import read_preprocessing
from tasks.preprocessing.targets import Target
from tasks.references import DatasetRef, EvaluationRef, PreprocessingRef, SlicesRef, SplitRef
from tasks.slices.config import SlicesPlan
from tasks.slices.fairness import fairness_of
from tasks.slices.groups import Groups, groups_of
from tasks.slices.search import MOST_GROUPS, Slice, worst_slices
from tasks.storage import DigestName, naming_lost, new_folder, write_json

SLICES = "slices.json"

_SHOWN = 20


def run_slices(
    clean: DatasetRef,
    split: SplitRef,
    preprocessing: PreprocessingRef,
    evaluation: EvaluationRef,
    plan: SlicesPlan,
    home: Path,
) -> SlicesRef:
    """Measure a model on parts of the test split.

    Writes `home/slices/<digest>/slices.json`; see `measure_slices`.

    Args:
        clean: The dataset that was split; rows are grouped by its values.
        split: Its split.
        preprocessing: Says what is predicted.
        evaluation: The model's predictions for the test split of the same dataset.
        plan: Which columns, and how.
        home: Headrace's folder.

    Raises:
        IntegrityError: The evaluation is gone, or of other rows.
    """
    target = read_preprocessing(preprocessing).target
    truth, predicted = read_predictions(evaluation, target)
    tables = list(read_split(clean, split, "test", plan.every))
    rows = sum(table.num_rows for table in tables)
    if rows != len(truth):
        raise IntegrityError(
            f"{evaluation.path}: the evaluation is of {len(truth)} rows, but the test split has {rows}\n"
            "  do: evaluate the model on the features of this dataset and this split"
        )
    columns = {}
    for name in plan.every:
        chunks = [chunk for table in tables for chunk in table[name].chunks]
        found = groups_of(name, pa.chunked_array(chunks), plan.bins)
        columns[name] = found.masked() if name in plan.masked else found
    named = DigestName()
    with new_folder(home / "slices", named) as folder:
        write_json(folder / SLICES, measure_slices(target, truth, predicted, columns, plan))
    return SlicesRef(path=str(home / "slices" / named.digest), digest=named.digest)


def measure_slices(
    target: Target, truth: Truth, predicted: Predictions, columns: Mapping[str, Groups], plan: SlicesPlan
) -> dict[str, Any]:
    """Measure groups of rows.

    Args:
        target: What is predicted.
        truth: What was true.
        predicted: What the model said of the same rows.
        columns: The groups of every column of `plan.every`.
        plan: What to measure.

    Returns:
        `problem`, `rows`, `loss` (what the search goes by) and `min_rows`; `columns`: for each of `plan.columns` a
        list `groups` of `group`, `rows`, `loss` and `metrics`, and `left_out`, how many `groups` are too small, their
        `rows` together, and some `names`; `search`: the `columns`, how many slices were `tried`, the `confidence`, and
        `found`; `fairness`: for each protected column what `tasks.slices.fairness.fairness_of` returns.
    """
    losses = row_losses(target, truth.values, predicted)

    def measured(rows: Integers) -> dict[str, Any]:
        metrics = values(measures_of(target, truth.values[rows], rows_of(predicted, rows)), len(rows))
        return {"rows": len(rows), "loss": float(losses[rows].mean()), "metrics": metrics}

    def of_column(groups: Groups) -> dict[str, Any]:
        members = list(zip(groups.names, groups.members(), strict=True))
        small = [(name, len(rows)) for name, rows in members if 0 < len(rows) < plan.min_rows]
        return {
            "groups": [{"group": name, **measured(rows)} for name, rows in members if len(rows) >= plan.min_rows],
            "left_out": {
                "groups": len(small),
                "rows": sum(rows for _, rows in small),
                "names": [name for name, _ in small[:_SHOWN]],
            },
        }

    searched = [columns[name] for name in plan.searched] if plan.find else []
    found, tried = worst_slices(searched, losses, min_rows=plan.min_rows, find=plan.find, confidence=plan.confidence)
    return {
        "problem": target.problem,
        "rows": len(truth),
        "loss": LOSS_OF[target.problem],
        "min_rows": plan.min_rows,
        "columns": {name: of_column(columns[name]) for name in plan.columns},
        "search": {
            "columns": [each.column for each in searched],
            "most_groups": MOST_GROUPS,
            "tried": tried,
            "confidence": plan.confidence,
            "found": [_told(each, measured(each.rows)["metrics"]) for each in found],
        },
        "fairness": {
            name: fairness_of(target, truth.values, predicted, columns[name], plan.min_rows) for name in plan.protected
        },
    }


def _told(found: Slice, metrics: dict[str, float]) -> dict[str, Any]:
    return {
        "slice": [list(value) for value in found.values],
        "rows": len(found.rows),
        "loss": found.loss,
        "rest": found.rest,
        "difference": found.difference,
        "interval": list(found.interval),
        "p_value": found.p_value,
        "metrics": metrics,
    }


def read_slices(ref: SlicesRef) -> dict[str, Any]:
    """Read `slices.json`.

    Raises:
        IntegrityError: The file is gone.
    """
    path = ref.folder / SLICES
    with naming_lost(path, "the measured slices are"):
        found: dict[str, Any] = json.loads(path.read_bytes())
    return found
