"""Imputation by chained equations: each numeric column predicted from the others, again and again.

After van Buuren and Groothuis-Oudshoorn, "mice: Multivariate Imputation by Chained Equations in R" (2011), with a
ridge regression for each column and its expected value in place of draws, as scikit-learn's IterativeImputer does.
Sums are taken without BLAS, whose order of adding depends on the number of threads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tasks.preprocessing.config import ChainedConfig
from tasks.preprocessing.constants import Chain, NumericFeature
from tasks.preprocessing.numbers import settled
from tasks.preprocessing.raw_rows import RawRows

Floats = NDArray[np.float64]


def fit_chain(
    features: Sequence[NumericFeature], columns: Sequence[str], sample: Floats, config: ChainedConfig
) -> Chain | None:
    """Fit one regressor for each column that is to be chained and is missing somewhere in the sample.

    Args:
        features: All numeric features; those of kind `number` over raw columns take part.
        columns: Raw columns, in the order of the sample's.
        sample: Raw training rows, float64 [S, columns], NaN for null.
        config: Rounds and penalty.

    Returns:
        None if nothing that is to be chained is ever missing.
    """
    block = [each for each in features if each.kind == "number" and each.part is None]
    settling = [settled(each, sample[:, columns.index(each.column)]) for each in block]
    missing = np.stack([gone for _, gone in settling], axis=1)
    values = np.stack([clipped for clipped, _ in settling], axis=1)
    center = values.mean(axis=0) if len(values) else np.zeros(len(block))
    spread = values.std(axis=0) if len(values) else np.ones(len(block))
    spread[spread == 0] = 1.0
    scaled = (values - center) / spread
    often = missing.sum(axis=0)
    targets = [index for index, each in enumerate(block) if each.chained and 0 < often[index] < len(values)]
    targets.sort(key=lambda index: (often[index], index))
    if not targets:
        return None
    weights, intercepts = np.zeros((len(targets), len(block))), np.zeros(len(targets))
    limits = [
        ((each.lower - center[i]) / spread[i], (each.upper - center[i]) / spread[i]) for i, each in enumerate(block)
    ]
    for _ in range(config.rounds):
        for order, target in enumerate(targets):
            gone = missing[:, target]
            weights[order], intercepts[order] = _ridge(scaled[~gone], target, config.ridge)
            predicted = np.einsum("nf,f->n", scaled[gone], weights[order]) + intercepts[order]
            scaled[gone, target] = np.clip(predicted, *limits[target])
    return Chain(
        features=tuple(each.name for each in block),
        center=tuple(center.tolist()),
        spread=tuple(spread.tolist()),
        targets=tuple(targets),
        weights=tuple(tuple(row) for row in weights.tolist()),
        intercepts=tuple(intercepts.tolist()),
        rounds=config.rounds,
    )


def _ridge(scaled: Floats, target: int, penalty: float) -> tuple[Floats, float]:
    """Return the weights [F] (0 for the target) and the intercept of the target's regression on the other columns."""
    others = [index for index in range(scaled.shape[1]) if index != target]
    inputs, outcome = scaled[:, others], scaled[:, target]
    mean, level = inputs.mean(axis=0), outcome.mean()
    centred = inputs - mean
    products = np.einsum("ni,nj->ij", centred, centred) + penalty * np.eye(len(others))
    solved = np.linalg.solve(products, np.einsum("ni,n->i", centred, outcome - level))
    weights = np.zeros(scaled.shape[1])
    weights[others] = solved
    return weights, float(level - (mean * solved).sum())


def predict_missing(chain: Chain, features: Mapping[str, NumericFeature], rows: RawRows) -> dict[str, Floats]:
    """Return what the chain says for each chained feature of each row, float64 [N]; of use where it is missing.

    Args:
        chain: The fitted chain.
        features: Numeric features by name.
        rows: The raw rows.
    """
    block = [features[name] for name in chain.features]
    settling = [settled(each, rows.numbers(each.column)) for each in block]
    missing = np.stack([gone for _, gone in settling])
    touched = np.flatnonzero(missing[list(chain.targets)].any(axis=0))
    center, spread = np.array(chain.center)[:, None], np.array(chain.spread)[:, None]
    scaled = (np.stack([clipped[touched] for clipped, _ in settling]) - center) / spread
    gone = missing[:, touched]
    for _ in range(chain.rounds):
        for target, weights, intercept in zip(chain.targets, chain.weights, chain.intercepts, strict=True):
            predicted = np.einsum("fn,f->n", scaled, np.array(weights)) + intercept
            low, high = ((bound - center[target, 0]) / spread[target, 0] for bound in _bounds(block[target]))
            scaled[target] = np.where(gone[target], np.clip(predicted, low, high), scaled[target])
    found = {}
    for target in chain.targets:
        values = np.full(len(rows), block[target].fill)
        values[touched] = scaled[target] * spread[target] + center[target]
        found[block[target].name] = values
    return found


def _bounds(feature: NumericFeature) -> tuple[float, float]:
    return feature.lower, feature.upper
