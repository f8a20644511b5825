"""Cross-validation's folds: which fold each row is predicted in."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.errors import ConfigError

Fold = NDArray[np.int8]

MOST_FOLDS = 100


def folds(
    rows: int,
    k: int,
    seed: int,
    target: NDArray[Any] | None = None,
    groups: NDArray[Any] | None = None,
) -> Fold:
    """Deal rows to `k` folds of about the same size: a pure function of its arguments.

    Args:
        rows: N.
        k: How many folds, 2 to 100.
        seed: Decides who goes where.
        target: int64 `[N]`, classes: each fold then has about the same share of each, and every fold has rows of a
            class that has at least `k` rows (in different groups). Anything that is no class is not taken.
        groups: `[N]` of any one type that can be sorted: rows of one value stay in one fold.

    Returns:
        int8 `[N]` of folds from 0 to `k - 1`.

    Raises:
        ConfigError: There are fewer rows, or groups, than folds.
    """
    assert 2 <= k <= MOST_FOLDS
    random = np.random.default_rng(seed)
    classes = np.zeros(rows, np.int64) if target is None else np.unique(target, return_inverse=True)[1]
    if groups is None:
        _require_enough(rows, k, "rows")
        return _dealt(classes, k, random)
    _, members = np.unique(groups, return_inverse=True)
    counts = np.zeros((int(members.max(initial=-1)) + 1, int(classes.max(initial=0)) + 1))
    np.add.at(counts, (members, classes), 1)
    _require_enough(len(counts), k, "groups")
    return _placed(counts, k, random)[members]


def time_folds(instants: NDArray[Any], k: int) -> Fold:
    """Cut rows in their order into `k + 1` stretches of about the same size; each but the first is a fold.

    A fold is predicted by what learned from the stretches before it, so the first is never predicted. Rows of one
    value stay in one stretch, and nothing in a fold comes before, or with, what was learned from.

    Args:
        instants: `[N]` of any one type that can be sorted: by what rows are ordered.
        k: How many folds, 2 to 100.

    Returns:
        int8 `[N]` of folds from 0 to `k - 1`, and -1 for the rows of the first stretch.

    Raises:
        ConfigError: There are fewer different values than stretches, or so many rows of one that a stretch is empty.
    """
    assert 2 <= k <= MOST_FOLDS
    different, value, counts = np.unique(instants, return_inverse=True, return_counts=True)
    _require_enough(len(different), k + 1, "different values of the time column", folds=k)
    # A value goes where its middle row falls.
    middles = np.cumsum(counts) - counts / 2
    stretch = np.minimum((middles * (k + 1) / len(instants)).astype(np.int64), k)
    if len(np.unique(stretch)) <= k:
        raise ConfigError(
            f"folds: {k} folds in the order of time come out with an empty one; too many rows share one value\n"
            "  do: lower the number of folds, or order by a finer column"
        )
    return (stretch - 1).astype(np.int8)[value]


def _require_enough(there: int, needed: int, what: str, folds: int | None = None) -> None:
    if there < needed:
        raise ConfigError(
            f"folds: {folds or needed} folds need at least {needed} {what}, and the training split has {there}\n"
            f"  do: lower the number of folds, or bring more {what}"
        )


def _dealt(classes: NDArray[np.int64], k: int, random: np.random.Generator) -> Fold:
    """Deal the shuffled rows class by class, going on with the next class where the last one ended."""
    order = random.permutation(len(classes))
    order = order[np.argsort(classes[order], kind="stable")]
    fold = np.empty(len(classes), np.int8)
    fold[order] = np.arange(len(classes)) % k
    return fold


def _placed(counts: NDArray[np.float64], k: int, random: np.random.Generator) -> Fold:
    """Place groups, largest first, each where the folds' shares of the classes become most even.

    Args:
        counts: Rows of each group and class `[G, C]`.
        k: How many folds.
        random: Decides between groups of one size.
    """
    order = random.permutation(len(counts))
    order = order[np.argsort(-counts[order].sum(axis=1), kind="stable")]
    wanted = np.maximum(counts.sum(axis=0), 1) / k
    held = np.zeros((k, counts.shape[1]))
    fold = np.empty(len(counts), np.int8)
    for group in order:
        # Adding to a fold raises the sum of squares by least where it holds least of the group's classes.
        costs = ((2 * held + counts[group]) * counts[group] / wanted**2).sum(axis=1)
        fold[group] = int(np.argmin(costs))
        held[fold[group]] += counts[group]
    return fold
