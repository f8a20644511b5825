"""What a model's predictions look like, column by column, to hold the endpoint's against."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.prediction.predictions import Floats, Predictions
from tasks.preprocessing.bins import describe_bins
from tasks.preprocessing.sketch import Distribution
from tasks.preprocessing.targets import ClassTarget, LabelsTarget, NumberTarget, Target

# The place of a series that takes the largest number of each row.
LARGEST = "largest"


def describe_predictions(target: Target, predicted: Predictions) -> dict[str, Any]:
    """Describe predictions as `reference.json` describes raw columns.

    Args:
        target: What is predicted.
        predicted: For at least one row.

    Returns:
        By name a description with `output` (the graph's) and `place` (the column of that output, None where it has
        one, or `largest`): labels and the probability of the second class for two classes, labels and the largest
        probability for more, each label and its probability for multilabel, else each number.
    """
    if isinstance(target, NumberTarget):
        assert predicted.numbers is not None
        if not target.quantiles:
            return {"prediction": _number("prediction", None, predicted.numbers)}
        columns = enumerate(zip(target.quantiles, predicted.numbers.T, strict=True))
        return {f"quantile[{level}]": _number("quantiles", place, values) for place, (level, values) in columns}
    assert predicted.probabilities is not None
    assert predicted.labels is not None
    if isinstance(target, LabelsTarget):
        return _labels(target, predicted.probabilities, predicted.labels)
    return _classes(target, predicted.probabilities, predicted.labels)


def _classes(target: ClassTarget, probabilities: Floats, labels: NDArray[Any]) -> dict[str, Any]:
    words = [word if isinstance(word, str) else str(int(word)) for word in target.classes]
    found = {
        "label": _category("label", None, dict(zip(words, np.bincount(labels, minlength=len(words)), strict=True)))
    }
    if target.problem == "binary":
        return found | {f"probability[{target.classes[1]}]": _number("probabilities", 1, probabilities[:, 1])}
    return found | {"confidence": _number("probabilities", LARGEST, probabilities.max(axis=1))}


def _labels(target: LabelsTarget, probabilities: Floats, labels: NDArray[Any]) -> dict[str, Any]:
    found = {}
    for place, name in enumerate(target.labels):
        holds = int(labels[:, place].sum())
        found[f"label[{name}]"] = _category("labels", place, {"0": len(labels) - holds, "1": holds})
        found[f"probability[{name}]"] = _number("probabilities", place, probabilities[:, place])
    return found


def _category(output: str, place: int | None, counts: dict[str, Any]) -> dict[str, Any]:
    values = {word: int(count) for word, count in counts.items()}
    return {
        "kind": "category",
        "output": output,
        "place": place,
        "rows": sum(values.values()),
        "nulls": 0,
        "distinct": len(values),
        "values": values,
        "others": 0,
        "missed": 0,
    }


def _number(output: str, place: int | str | None, values: Floats) -> dict[str, Any]:
    distribution = Distribution.of(values)
    return {
        "kind": "numeric",
        "output": output,
        "place": place,
        "rows": len(values),
        "nulls": len(values) - distribution.rows,
        "rank_error": distribution.error,
        **describe_bins(distribution),
    }
