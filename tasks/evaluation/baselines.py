"""What a model must beat: answers that ignore the record, and a linear model of the same features."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, PositiveFloat, PositiveInt
from scipy import sparse
from threadpoolctl import threadpool_limits

from tasks.metrics.weighted import Floats, Integers
from tasks.models.spec import FeatureSpec
from tasks.prediction.decision import Decision
from tasks.prediction.predictions import Predictions, decide
from tasks.preprocessing.targets import ClassTarget, LabelsTarget, NumberTarget, Target
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


class RidgeConfig(BaseModel):
    """The ridge regression.

    Attributes:
        penalty: L2 penalty (scikit-learn's `alpha`).
        iterations: Most steps of conjugate gradients.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    penalty: PositiveFloat = 1.0
    iterations: PositiveInt = 100


def constant_baselines(target: Target, train: NDArray[Any], rows: int) -> dict[str, Predictions]:
    """Predict the same for every row, whatever the record says.

    Args:
        target: What is predicted.
        train: What was true of the training rows, as `tasks.evaluation.held_out.Truth.values`.
        rows: How many to predict.

    Returns:
        `majority` (shares of the classes), `prior` (share of each label), `mean` and `median`, or `quantiles`.
    """
    if isinstance(target, ClassTarget):
        return {"majority": _decided(majority_probabilities(train, rows, len(target.classes)), target)}
    if isinstance(target, LabelsTarget):
        return {"prior": _decided(np.tile(train.mean(axis=0), (rows, 1)), target)}
    if target.quantiles:
        return {"quantiles": Predictions(numbers=np.tile(np.quantile(train, target.quantiles), (rows, 1)))}
    made: dict[str, Callable[[Floats], Any]] = {"mean": np.mean, "median": np.median}
    return {name: Predictions(numbers=np.full(rows, float(made[name](train)))) for name in made}


def majority_probabilities(train: Integers, rows: int, classes: int) -> Floats:
    """Predict the training split's class shares for every row, float64 `[rows, classes]`."""
    shares = np.bincount(train, minlength=classes) / len(train)
    return np.tile(shares, (rows, 1))


def logistic_baseline(
    train: SplitTensors, held_out: SplitTensors, spec: FeatureSpec, target: ClassTarget, config: LogisticConfig
) -> Predictions:
    """Fit a logistic regression and predict.

    Numbers enter as the preprocessing scaled them, categories one-hot. One thread: sums of floats are then always in
    the same order, and small problems do not drown in threads.

    Args:
        train: At least two classes.
        held_out: What to predict.
        spec: Cardinalities.
        target: The classes.
        config: Penalty and steps.
    """
    from sklearn.exceptions import ConvergenceWarning  # noqa: PLC0415 - a second to import, and only this needs it
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - as above

    model = LogisticRegression(C=config.strength, max_iter=config.iterations)
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(_one_hot(train, spec), train.target.numpy())
        known = model.predict_proba(_one_hot(held_out, spec))
    # A class that the training split lacks has no column in scikit-learn's answer.
    probabilities = np.zeros((len(held_out), len(target.classes)))
    probabilities[:, model.classes_] = known
    return _decided(probabilities, target)


def ridge_baseline(
    train: SplitTensors, held_out: SplitTensors, spec: FeatureSpec, target: NumberTarget, config: RidgeConfig
) -> Predictions:
    """Fit a ridge regression on the features, as `logistic_baseline` reads them, and predict in the target's unit."""
    from sklearn.exceptions import ConvergenceWarning  # noqa: PLC0415 - a second to import, and only this needs it
    from sklearn.linear_model import Ridge  # noqa: PLC0415 - as above

    model = Ridge(alpha=config.penalty, max_iter=config.iterations, solver="sparse_cg")
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(_one_hot(train, spec), train.target.numpy().astype(np.float64))
        standardized = model.predict(_one_hot(held_out, spec))
    return Predictions(numbers=standardized * target.spread + target.center)


def _decided(probabilities: Floats, target: ClassTarget | LabelsTarget) -> Predictions:
    return Predictions(probabilities=probabilities, labels=decide(probabilities, target, Decision()))


def _one_hot(split: SplitTensors, spec: FeatureSpec) -> sparse.csr_matrix:
    rows = len(split)
    blocks = [sparse.csr_matrix(split.numeric.numpy().astype(np.float64))]
    for column, item in enumerate(spec.categorical):
        places = (np.arange(rows), split.categorical[:, column].numpy())
        blocks.append(sparse.csr_matrix((np.ones(rows), places), shape=(rows, item.cardinality)))
    return sparse.hstack(blocks, format="csr")
