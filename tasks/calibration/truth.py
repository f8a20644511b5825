"""What really was, in the shape that calibration judges: one column for each thing that may hold or not."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.preprocessing.targets import ClassTarget, LabelsTarget

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]


def held(target: NDArray[Any], what: ClassTarget | LabelsTarget) -> Booleans:
    """Return whether the second class of two `[N, 1]`, each class of more or each label `[N, K]` held.

    Args:
        target: int64 `[N]` of class indices, or `[N, L]` of labels (0 or 1).
        what: What it is the target of.
    """
    if isinstance(what, LabelsTarget):
        return np.asarray(target > 0.5)
    return np.asarray(target[:, None] == np.arange(len(what.classes)))[:, places(what)]


def places(what: ClassTarget | LabelsTarget) -> slice:
    """Return which columns of the probabilities those are."""
    return slice(1, None) if what.problem == "binary" else slice(None)


def names(what: ClassTarget | LabelsTarget) -> tuple[str, ...]:
    """Return their names: the second class of two, each class of more, or each label."""
    every: tuple[Any, ...] = what.labels if isinstance(what, LabelsTarget) else what.classes
    texts = [str(each).lower() if isinstance(each, bool) else str(each) for each in every]
    return tuple(texts[places(what)])
