"""What a model must beat: always the most frequent class, and a logistic regression on the same features."""

from __future__ import annotations

import warnings

import numpy as np
from pydantic import BaseModel, ConfigDict, PositiveFloat, PositiveInt
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from tasks.evaluation.metrics import Floats, Integers
from tasks.training.models.spec import FeatureSpec
from tasks.training.splits import SplitTensors


class LogisticConfig(BaseModel):
    """The logistic regression.

    Attributes:
        strength: Inverse of the L2 penalty (scikit-learn's `C`).
        iterations: Most steps of L-BFGS. Stopping there is early stopping, which costs a baseline nothing to speak of.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    strength: PositiveFloat = 1.0
    iterations: PositiveInt = 100


def majority_probabilities(train: Integers, rows: int, classes: int) -> Floats:
    """Predict the training split's class shares for every row, float64 `[rows, classes]`."""
    shares = np.bincount(train, minlength=classes) / len(train)
    return np.tile(shares, (rows, 1))


def logistic_probabilities(
    train: SplitTensors, held_out: SplitTensors, spec: FeatureSpec, config: LogisticConfig
) -> Floats:
    """Fit a logistic regression and predict, float64 `[N, C]`.

    Numbers enter as the preprocessing scaled them, categories one-hot. One thread: sums of floats are then always in
    the same order, and small problems do not drown in threads.

    Args:
        train: At least two classes.
        held_out: What to predict.
        spec: Cardinalities, and how many classes there are.
        config: Penalty and steps.
    """
    model = LogisticRegression(C=config.strength, max_iter=config.iterations)
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(_one_hot(train, spec), train.target.numpy())
        known = model.predict_proba(_one_hot(held_out, spec))
    # A class that the training split lacks has no column in scikit-learn's answer.
    probabilities = np.zeros((len(held_out), spec.classes))
    probabilities[:, model.classes_] = known
    return probabilities


def _one_hot(split: SplitTensors, spec: FeatureSpec) -> sparse.csr_matrix:
    rows = len(split)
    blocks = [sparse.csr_matrix(split.numeric.numpy().astype(np.float64))]
    for column, item in enumerate(spec.categorical):
        places = (np.arange(rows), split.categorical[:, column].numpy())
        blocks.append(sparse.csr_matrix((np.ones(rows), places), shape=(rows, item.cardinality)))
    return sparse.hstack(blocks, format="csr")
