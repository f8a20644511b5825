"""The few metrics that training measures after every round, straight from scores, and selects weights by."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import log_softmax, softmax

from tasks.metrics.numbers import pinball
from tasks.preprocessing.targets import LabelsTarget, NumberTarget, Problem, Target

Floats = npt.NDArray[np.float64]

# The first is what a problem's weights are selected by where the config does not say.
_METRICS: dict[Problem, tuple[str, ...]] = {
    "binary": ("log_loss", "roc_auc", "accuracy"),
    "multiclass": ("log_loss", "roc_auc", "accuracy"),
    "multilabel": ("log_loss", "roc_auc"),
    "regression": ("rmse", "mae"),
    "quantile": ("pinball",),
}
SELECTION_METRICS = tuple(dict.fromkeys(name for names in _METRICS.values() for name in names))


def metrics_of(problem: Problem) -> tuple[str, ...]:
    """Return the names of a problem's metrics, the one to select by first."""
    return _METRICS[problem]


def selection_metrics(truth: npt.NDArray[Any], scores: Floats, target: Target) -> dict[str, float]:
    """Measure scores.

    Args:
        truth: int64 `[N]` of classes, float `[N, L]` of labels, or float `[N]` of standardized numbers; `N >= 1`.
        scores: float64 `[N, O]`, finite; see `tasks.preprocessing.targets`.
        target: What the scores stand for.

    Returns:
        Classes and labels: `log_loss` in nats (of labels: the mean over them), `roc_auc` (of more than two classes
        and of labels: the mean of each against the rest; 0.5 where it is undefined, so that every round ranks
        alike) and, of classes, `accuracy`. Numbers: `rmse` and `mae`, or the mean `pinball` loss of the quantiles,
        in the unit of the column.
    """
    if isinstance(target, NumberTarget):
        return _of_numbers(truth.astype(np.float64), scores, target)
    if isinstance(target, LabelsTarget):
        losses = np.logaddexp(0.0, scores) - truth * scores
        return {"log_loss": float(losses.mean()), "roc_auc": _mean_area(truth > 0.5, scores)}
    likelihood = np.take_along_axis(log_softmax(scores, axis=1), truth[:, None], axis=1)
    if scores.shape[1] == 2:
        area = _mean_area(truth[:, None] == 1, scores[:, 1:] - scores[:, :1])
    else:
        area = _mean_area(truth[:, None] == np.arange(scores.shape[1]), softmax(scores, axis=1))
    accuracy = float(np.mean(scores.argmax(axis=1) == truth))
    return {"log_loss": -float(likelihood.mean()), "roc_auc": area, "accuracy": accuracy}


def _of_numbers(truth: Floats, scores: Floats, target: NumberTarget) -> dict[str, float]:
    if target.quantiles:
        return {"pinball": float(pinball(truth, scores, target.quantiles).mean() * target.spread)}
    error = (truth[:, None] - scores) * target.spread
    return {"rmse": float(np.sqrt(np.mean(error**2))), "mae": float(np.mean(np.abs(error)))}


def _mean_area(truth: npt.NDArray[np.bool_], scores: Floats) -> float:
    """Return the mean area over the columns that have both members and others, else 0.5."""
    from sklearn import metrics as sk  # noqa: PLC0415 - a second to import, and only this needs it

    counts = truth.sum(axis=0)
    defined = np.flatnonzero((counts > 0) & (counts < len(truth)))
    areas = [float(sk.roc_auc_score(truth[:, column], scores[:, column])) for column in defined]
    return float(np.mean(areas)) if areas else 0.5
