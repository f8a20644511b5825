"""Weights of a blend by ensemble selection (Caruana et al., ICML 2004), for any problem's loss."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_softmax

from tasks.models.predictor import Floats
from tasks.preprocessing.targets import ClassTarget, LabelsTarget, NumberTarget, Target

# A weight is a multiple of one part in at most so many.
_PICKS = 50
# What a probability of zero costs.
_LEAST = 1e-300


def ensemble_weights(scores: Floats, truth: NDArray[Any], target: Target) -> Floats:
    """Return the weights of the mean with the least loss.

    Members are picked one after the other, each as often as it helps the mean of all picks so far; of the 50 means
    the best is kept. Weights are how often each was picked, so they are not negative and sum to 1.

    Args:
        scores: float64 `[M, N, O]` of the members, on rows that none of them learned from.
        truth: int64 `[N]`, float `[N, L]` or float `[N]`; see `tasks.training.splits.SplitTensors`.
        target: What the scores stand for.

    Returns:
        float64 `[M]`.
    """
    terms = _terms(scores, truth, target)
    total, counts = np.zeros_like(terms[0]), np.zeros(len(terms))
    best, kept = np.inf, counts
    for number in range(1, _PICKS + 1):
        losses = [_loss((total + term) / number, target) for term in terms]
        pick = int(np.argmin(losses))
        total, counts = total + terms[pick], counts.copy()
        counts[pick] += 1
        if losses[pick] < best:
            best, kept = losses[pick], counts
    return np.asarray(kept / kept.sum())


def blend_loss(scores: Floats, weights: Floats, truth: NDArray[Any], target: Target) -> float:
    """Return the loss of a weighted mean: log loss in nats, squared error, or pinball loss, both standardized.

    Args:
        scores: float64 `[M, N, O]`.
        weights: float64 `[M]` with sum 1.
        truth: As of `ensemble_weights`.
        target: What the scores stand for.
    """
    return _loss(np.tensordot(weights, _terms(scores, truth, target), axes=1), target)


def _terms(scores: Floats, truth: NDArray[Any], target: Target) -> Floats:
    """Return what the loss of a mean is the loss of the mean of: likelihoods of the truth, or errors."""
    if isinstance(target, ClassTarget):
        likelihood = np.take_along_axis(log_softmax(scores, axis=2), truth[None, :, None], axis=2)
        return np.asarray(np.exp(likelihood[:, :, 0]))
    if isinstance(target, LabelsTarget):
        return np.asarray(expit(np.where(truth > 0.5, scores, -scores)))
    return np.asarray(truth[:, None] - scores)


def _loss(mean: Floats, target: Target) -> float:
    if not isinstance(target, NumberTarget):
        return -float(np.log(np.maximum(mean, _LEAST)).mean())
    if not target.quantiles:
        return float(np.mean(mean**2))
    levels = np.array(target.quantiles)
    return float(np.maximum(levels * mean, (levels - 1.0) * mean).mean())
