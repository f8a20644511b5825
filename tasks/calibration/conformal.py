"""Conformal quantiles: shifts after which as many values lie below each quantile as it says.

Romano, Patterson and Candes, "Conformalized Quantile Regression", NeurIPS 2019, arxiv.org/abs/1905.03222, with each
quantile shifted by itself (their Theorem 2): of new rows drawn like the validation split's, at least the share q lies
below a shifted quantile q of .5 or more, and at most the share q below one under .5.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tasks.calibration.truth import Floats
from tasks.errors import TrainingError


def fit_shifts(scores: Floats, target: Floats, quantiles: Sequence[float]) -> tuple[float, ...]:
    """Return what to add to each ascending quantile.

    Args:
        scores: float64 `[N, Q]`, standardized quantiles.
        target: float64 `[N]`, standardized.
        quantiles: The shares, ascending.

    Raises:
        TrainingError: There are too few rows for the outermost quantile.
    """
    missed = np.sort(target[:, None] - np.sort(scores, axis=1), axis=0)
    return tuple(float(missed[_rank(len(target), share), place]) for place, share in enumerate(quantiles))


def _rank(rows: int, share: float) -> int:
    """Return which of the ascending misses to take, from 0; one row more counts, the one that is to come."""
    exact = round((rows + 1) * share, 9)
    rank = math.ceil(exact) if share >= 0.5 else math.floor(exact)
    if not 1 <= rank <= rows:
        least = math.ceil(round(1 / min(share, 1 - share), 9)) - 1
        raise TrainingError(
            f"calibrate.method: conformal needs {least} rows for the quantile {share:g}; the validation split has "
            f"{rows}\n  do: give it a larger fraction in the split config, or write `method: none`"
        )
    return rank - 1
