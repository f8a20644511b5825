"""Temperature scaling: one number that makes a model as sure of itself as it is right.

Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks", ICML 2017, arxiv.org/abs/1706.04599. It
divides every score, so it never changes which class is the likeliest, nor which of two records has the higher
probability of the second class or of a label.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

from tasks.calibration.truth import Floats
from tasks.preprocessing.targets import ClassTarget, LabelsTarget

# A validation split without an error would have it go to 0; and what divides scores multiplies their rounding.
LEAST, MOST = 0.1, 100.0


def fit_temperature(scores: Floats, target: NDArray[Any], what: ClassTarget | LabelsTarget) -> float:
    """Return the temperature of the least log loss between `LEAST` and `MOST`, to six digits.

    Args:
        scores: float64 `[N, O]`.
        target: int64 `[N]` of class indices, or `[N, L]` of labels.
        what: What the scores stand for.
    """
    # The log loss is convex in 1 / temperature, so along its logarithm it has one valley too.
    found = minimize_scalar(
        lambda logarithm: score_log_loss(scores / math.exp(logarithm), target, what),
        bounds=(math.log(LEAST), math.log(MOST)),
        method="bounded",
        options={"xatol": 1e-6},
    )
    return float(f"{math.exp(found.x):.6g}")


def score_log_loss(scores: Floats, target: NDArray[Any], what: ClassTarget | LabelsTarget) -> float:
    """Return the mean negative log-likelihood of scores in nats, over rows, or over rows and labels."""
    if isinstance(what, LabelsTarget):
        return float(np.mean(np.logaddexp(0, scores) - scores * target))
    return float(np.mean(logsumexp(scores, axis=1) - scores[np.arange(len(scores)), target]))
