"""A blend: the weighted mean of what several models say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_expit, log_softmax, logsumexp

from tasks.models.predictor import Floats, Predictor
from tasks.preprocessing.targets import ClassTarget, LabelsTarget, Target


class BlendPredictor(Predictor):
    """The mean of the members' probabilities (classes, labels) or values (numbers), again as scores."""

    def __init__(self, members: Sequence[Predictor], weights: Sequence[float], target: Target) -> None:
        """Take the members.

        Args:
            members: Models of the same features and target.
            weights: One for each, positive; only their ratios count.
            target: What their scores stand for.
        """
        self.members = list(members)
        self.weights = np.array(weights, np.float64) / np.sum(weights)
        self.target = target

    def scores(self, *inputs: NDArray[Any]) -> Floats:
        """Score records."""
        return mix(np.stack([member.scores(*inputs) for member in self.members]), self.weights, self.target)


def mix(scores: Floats, weights: Floats, target: Target) -> Floats:
    """Return the scores of the weighted mean.

    Args:
        scores: float64 `[M, N, O]` of `M` members.
        weights: float64 `[M]`, not negative, with sum 1.
        target: What the scores stand for.

    Returns:
        float64 `[N, O]`: the logarithm of the mean probability of each class, the log odds of the mean probability of
        each label, or the mean of the values.
    """
    shares = weights[:, None, None]
    if isinstance(target, ClassTarget):
        return np.asarray(logsumexp(log_softmax(scores, axis=2), axis=0, b=shares))
    if isinstance(target, LabelsTarget):
        holds, holds_not = (logsumexp(log_expit(sign * scores), axis=0, b=shares) for sign in (1, -1))
        return np.asarray(holds - holds_not)
    return np.asarray((shares * scores).sum(axis=0))
