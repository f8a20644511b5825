"""Predictions of every problem, described by the evaluation and counted in the samples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy.special import softmax

from tasks.drift.comparisons import compare_series
from tasks.drift.counting import count_series
from tasks.drift.expected import read_reference
from tasks.errors import IntegrityError
from tasks.evaluation.predicted import describe_predictions
from tasks.prediction.predictions import Predictions
from tasks.preprocessing.targets import ClassTarget, LabelsTarget, NumberTarget, Target

_ROWS = 600
_SCORES = np.random.default_rng(0).normal(size=(_ROWS, 3))
_SHARES = softmax(_SCORES, axis=1)
_ABOUT = {"logical_type": "boolean", "kind": "category", "rows": 9, "nulls": 0, "distinct": 1, "missed": 0, "others": 0}
_COLUMNS = {"columns": {"flag": {**_ABOUT, "values": {"1": 9}}}}
CASES: list[tuple[Target, Predictions, dict[str, Any], list[str]]] = [
    (
        ClassTarget(column="y", source="integer", classes=(3, 5, 8)),
        Predictions(_SHARES, _SHARES.argmax(axis=1)),
        {"label": np.array([3, 5, 8])[_SHARES.argmax(axis=1)], "probabilities": _SHARES},
        ["label", "confidence"],
    ),
    (
        ClassTarget(column="y", source="boolean", classes=(False, True)),
        Predictions(_SHARES[:, :2], (_SHARES[:, 1] > 0.3).astype(np.int64)),
        {"label": _SHARES[:, 1] > 0.3, "probabilities": _SHARES[:, :2]},
        ["label", "probability[True]"],
    ),
    (
        LabelsTarget(labels=("a", "b")),
        Predictions(_SHARES[:, :2], _SHARES[:, :2] > 0.3),
        {"labels": _SHARES[:, :2] > 0.3, "probabilities": _SHARES[:, :2]},
        ["label[a]", "probability[a]", "label[b]", "probability[b]"],
    ),
    (
        NumberTarget(column="y", source="number", center=0.0, spread=1.0),
        Predictions(numbers=_SCORES[:, 0]),
        {"prediction": _SCORES[:, 0]},
        ["prediction"],
    ),
    (
        NumberTarget(column="y", source="number", center=0.0, spread=1.0, quantiles=(0.1, 0.9)),
        Predictions(numbers=np.sort(_SCORES[:, :2], axis=1)),
        {"quantiles": np.sort(_SCORES[:, :2], axis=1)},
        ["quantile[0.1]", "quantile[0.9]"],
    ),
]


@pytest.mark.parametrize(("target", "predicted", "outputs", "names"), CASES)
def test_what_was_evaluated_is_found_again_in_what_is_served(
    tmp_path: Path, target: Target, predicted: Predictions, outputs: dict[str, Any], names: list[str]
) -> None:
    (tmp_path / "reference.json").write_text(json.dumps(_COLUMNS))
    described = describe_predictions(target, predicted)
    (tmp_path / "evaluation.json").write_text(json.dumps({"predictions": described}, allow_nan=False))
    series = [each for each in read_reference(tmp_path).series if each.of == "prediction"]
    assert [each.name for each in series] == names
    for each in series:
        served = outputs[each.column]
        if served.dtype == np.float64:
            # The endpoint computes in float32.
            served = served.astype(np.float32)
        column = pa.array(served.tolist(), pa.list_(pa.from_numpy_dtype(served.dtype)) if served.ndim > 1 else None)
        counted = count_series(each, column, np.zeros(_ROWS, np.int64), 1)
        np.testing.assert_array_equal(counted.cells[0], each.counts)
        assert all(found.p_value == 1.0 for found in compare_series(each, counted))


@pytest.mark.parametrize("columns", [{}, {"x": {"kind": "category"}}])
def test_a_bundle_without_a_reference_is_refused(tmp_path: Path, columns: dict[str, Any]) -> None:
    (tmp_path / "reference.json").write_text(json.dumps({"columns": columns}))
    with pytest.raises(IntegrityError, match="do: "):
        read_reference(tmp_path)
