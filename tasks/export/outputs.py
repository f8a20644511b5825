"""The model's outputs: how they are described, and how predictions become their tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from serving.bundle.manifest import Datatype, OutputSpec
from tasks.export.standards import LABEL, LABELS, OUTPUTS, PREDICTION, PROBABILITIES, QUANTILES
from tasks.prediction.predictions import Predictions
from tasks.preprocessing.targets import ClassTarget, LabelsTarget, Target

_LABEL_DATATYPES: dict[type, Datatype] = {str: "BYTES", int: "INT64", bool: "BOOL"}

Tensors = dict[str, np.ndarray[Any, np.dtype[Any]]]


def output_specs(target: Target) -> tuple[OutputSpec, ...]:
    """Describe the outputs of a model of a target."""
    datatypes: dict[str, Datatype] = {LABELS: "BOOL", PROBABILITIES: "FP32", PREDICTION: "FP64", QUANTILES: "FP64"}
    if isinstance(target, ClassTarget):
        datatypes[LABEL] = _LABEL_DATATYPES[type(target.classes[0])]
    return tuple(
        OutputSpec(
            name=name,
            datatype=datatypes[name],
            shape=(-1,) if name in {LABEL, PREDICTION} else (-1, target.outputs),
        )
        for name in OUTPUTS[target.problem]
    )


def output_tensors(predictions: Predictions, target: Target) -> Tensors:
    """Return the tensors [N] or [N, O] that the graph gives for these predictions, by output."""
    if isinstance(target, ClassTarget):
        assert predictions.labels is not None
        assert predictions.probabilities is not None
        labels = class_array(target.classes)[predictions.labels]
        return {LABEL: labels, PROBABILITIES: predictions.probabilities.astype(np.float32)}
    if isinstance(target, LabelsTarget):
        assert predictions.labels is not None
        assert predictions.probabilities is not None
        return {LABELS: predictions.labels, PROBABILITIES: predictions.probabilities.astype(np.float32)}
    assert predictions.numbers is not None
    return {OUTPUTS[target.problem][0]: predictions.numbers}


def class_array(classes: Sequence[Any]) -> np.ndarray[Any, np.dtype[Any]]:
    """Return the classes [C] as one array: `str`, int64 or bool."""
    dtypes: dict[type, Any] = {str: np.str_, int: np.int64, bool: np.bool_}
    return np.array(classes, dtype=dtypes[type(classes[0])])
