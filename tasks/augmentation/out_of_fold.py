"""Probabilities of every training row by models that never saw it."""

from __future__ import annotations

import warnings
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from threadpoolctl import threadpool_limits

from tasks.augmentation.rows import Matrices
from tasks.preprocessing.constants import Preprocessing
from tasks.progress import progress

ModelName = Literal["hist-gradient-boosting", "logistic"]

# scikit-learn's histograms have 255 bins at most; a column of more codes is read as a number.
_MOST_CATEGORIES = 255
_ITERATIONS = 100


def out_of_fold(
    rows: Matrices, constants: Preprocessing, model: ModelName, *, folds: int, sample_rows: int, seed: int
) -> NDArray[np.float64]:
    """Predict each fold with a model fitted to the others, one thread, so that the same rows give the same answer.

    Args:
        rows: Each class has at least `folds` of the N rows.
        constants: Names the categorical features' cardinalities.
        model: Which model.
        folds: How many folds; every class is spread evenly.
        sample_rows: The most rows that a model is fitted to; of more, an even sample is taken.
        seed: Decides folds, samples and the model's draws.

    Returns:
        float64 [N, C].
    """
    from sklearn.exceptions import ConvergenceWarning  # noqa: PLC0415 - a second to import, and only this needs it
    from sklearn.model_selection import StratifiedKFold  # noqa: PLC0415 - as above

    table = _one_hot(rows, constants) if model == "logistic" else np.hstack([rows.numeric, rows.codes])
    found = np.zeros((len(rows.target), len(constants.class_target.classes)))
    splitter = StratifiedKFold(n_splits=folds, shuffle=True, random_state=seed % (1 << 32))
    with progress("label noise", folds, "folds") as advance, threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for number, (seen, unseen) in enumerate(splitter.split(table, rows.target)):
            draws = np.random.default_rng([seed, number])
            sample = seen if len(seen) <= sample_rows else np.sort(draws.choice(seen, size=sample_rows, replace=False))
            fitted = _model(model, constants, seed).fit(table[sample], rows.target[sample])
            found[unseen[:, None], fitted.classes_] = fitted.predict_proba(table[unseen])
            advance()
    return found


def _model(name: ModelName, constants: Preprocessing, seed: int) -> Any:
    if name == "logistic":
        from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - as above

        return LogisticRegression(max_iter=_ITERATIONS)
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415 - as above

    few = [feature.cardinality <= _MOST_CATEGORIES for feature in constants.categorical]
    return HistGradientBoostingClassifier(
        categorical_features=np.asarray([False] * len(constants.numeric) + few),
        early_stopping=False,
        max_iter=_ITERATIONS,
        random_state=seed % (1 << 32),
    )


def _one_hot(rows: Matrices, constants: Preprocessing) -> sparse.csr_matrix:
    count = len(rows.target)
    blocks = [sparse.csr_matrix(rows.numeric.astype(np.float64))]
    for column, feature in enumerate(constants.categorical):
        places = (np.arange(count), rows.codes[:, column])
        blocks.append(sparse.csr_matrix((np.ones(count), places), shape=(count, feature.cardinality)))
    return sparse.hstack(blocks, format="csr")
