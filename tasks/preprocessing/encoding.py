"""Categories as numbers: one-hot, frequency, hashing and target encoding, each a table that codes are looked up in."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tasks.errors import TrainingError
from tasks.preprocessing.config import EncodeConfig
from tasks.preprocessing.constants import FIRST_CODE, NULL, UNSEEN, CategoricalFeature, Encoding, NumericFeature
from tasks.preprocessing.joint import Tables
from tasks.preprocessing.joint_numbers import Joint
from tasks.preprocessing.sketch import Distribution
from tasks.preprocessing.statistics import CategorySummary
from tasks.preprocessing.targets import Target

MAX_ONE_HOT = 1_000


@dataclass(frozen=True)
class Encoded:
    """A fitted encoding and its features.

    Attributes:
        folds: For `target`: the values that a training row takes, by its fold: float64 [outputs, codes] each.
    """

    encoding: Encoding
    features: tuple[NumericFeature, ...]
    folds: Sequence[Tables] = ()


def fit_encoding(
    category: CategoricalFeature,
    config: EncodeConfig,
    summary: CategorySummary,
    joint: Joint | None,
    target: Target,
    bins: int,
) -> Encoded:
    """Make the table of one category.

    Args:
        category: The category with its vocabulary.
        config: The method; not `ordinal`.
        summary: How often each value occurs in training.
        joint: The same with the target; for method `target`.
        target: The fitted target.
        bins: Bins between the features' edges.

    Raises:
        TrainingError: A vocabulary too large to give each value a column.
    """
    counts = _by_code(category, summary)
    if config.method == "target":
        assert joint is not None, "the fit counts it for this method"
        return _target(category, config, joint, target, bins)
    if config.method == "frequency":
        shares = counts / max(1, summary.rows)
        shares[UNSEEN] = 0.0
        encoding = Encoding(
            category=category,
            method="frequency",
            outputs=(f"{category.name}_frequency",),
            values=(tuple(shares.tolist()),),
        )
        return Encoded(encoding, _features(encoding, counts, bins))
    encoding = _hashed(category, config) if config.method == "hashing" else _one_hot(category, summary)
    return Encoded(encoding, _features(encoding, counts, bins))


def _by_code(category: CategoricalFeature, summary: CategorySummary) -> np.ndarray:
    counts = np.zeros(category.cardinality, dtype=np.int64)
    code_of = {value: FIRST_CODE + index for index, value in enumerate(category.vocabulary)}
    for value, count in zip(summary.values.to_pylist(), summary.counts.tolist(), strict=True):
        counts[code_of.get(value, UNSEEN)] += count
    counts[category.null_code] += summary.nulls
    return counts


def _one_hot(category: CategoricalFeature, summary: CategorySummary) -> Encoding:
    if len(category.vocabulary) > MAX_ONE_HOT:
        raise TrainingError(
            f"feature {category.name}: one-hot would make {len(category.vocabulary):,} columns, at most "
            f"{MAX_ONE_HOT:,} make sense\n"
            "  do: set max_vocabulary or min_count for the column, or take ordinal, hashing or target"
        )
    outputs = [f"{category.name}={value}" for value in category.vocabulary]
    positions = [-1, -1, -1, *range(len(outputs))]
    if category.fill is None and summary.nulls:
        positions[NULL] = len(outputs)
        outputs.append(f"{category.name}_is_null")
    return Encoding(category=category, method="one-hot", outputs=tuple(outputs), positions=tuple(positions))


def _hashed(category: CategoricalFeature, config: EncodeConfig) -> Encoding:
    buckets = [
        int.from_bytes(hashlib.sha256(value.encode()).digest()[:8], "big") % config.buckets
        for value in category.vocabulary
    ]
    outputs = [f"{category.name}_bucket_{bucket}" for bucket in range(config.buckets)]
    positions = [-1, -1, config.buckets, *buckets]
    outputs.append(f"{category.name}_unseen")
    return Encoding(category=category, method="hashing", outputs=tuple(outputs), positions=tuple(positions))


def _target(category: CategoricalFeature, config: EncodeConfig, joint: Joint, target: Target, bins: int) -> Encoded:
    means = joint.means(category, target, config.smoothing)
    encoding = Encoding(
        category=category,
        method="target",
        outputs=tuple(f"{category.name}_target{suffix}" for suffix in means.suffixes),
        values=tuple(tuple(row) for row in means.values.tolist()),
    )
    return Encoded(encoding, _features(encoding, means.rows, bins), means.folds)


def _features(encoding: Encoding, counts: np.ndarray, bins: int) -> tuple[NumericFeature, ...]:
    category = encoding.category
    edges: list[tuple[float, ...]] = [() for _ in encoding.outputs]
    if encoding.values:
        edges = [
            edges_of(Distribution.counted(_single(row)[counts > 0], counts[counts > 0]), bins)
            for row in encoding.values
        ]
    return tuple(
        NumericFeature(
            name=name,
            column=category.column,
            source=category.source,
            part=category.part,
            kind="encoded",
            encoding=category.name,
            output=output,
            edges=edges[output],
        )
        for output, name in enumerate(encoding.outputs)
    )


def _single(values: Sequence[float]) -> np.ndarray:
    """Round as the finished feature is rounded."""
    return np.asarray(values, dtype=np.float32).astype(np.float64)


def edges_of(finished: Distribution, bins: int) -> tuple[float, ...]:
    """Return the quantiles of a finished feature that are the edges of `bins` bins; equal ones are joined."""
    return tuple(np.unique(finished.quantiles(np.linspace(0, 1, bins + 1).tolist())).tolist())
