"""The classification extension: the top classes of an output instead of its numbers.

https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_classification.md
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from serving.bundle.manifest import BundleManifest, OutputSpec


def labels_of(spec: OutputSpec, manifest: BundleManifest) -> tuple[str, ...]:
    """Return the labels of an output's columns; none where the bundle has none for it."""
    names: Sequence[Any] = manifest.classes or manifest.labels or manifest.quantiles
    if len(spec.shape) != 2 or spec.shape[1] != len(names):
        return ()
    # As JSON writes them, true and false among them.
    return tuple(str(name).lower() if isinstance(name, bool) else str(name) for name in names)


def top_classes(
    tensor: np.ndarray[Any, np.dtype[Any]], classes: int, labels: Sequence[str]
) -> np.ndarray[Any, np.dtype[Any]]:
    """Return the largest values of each row, largest first, of equal ones the first first; NaN counts as the smallest.

    Args:
        tensor: Numbers, [rows, ...]; a row's elements are counted in row-major order.
        classes: How many; at most as many as there are.
        labels: Of the elements of a row; none where they have none.

    Returns:
        Texts "value:index" or "value:index:label", an object array [rows, classes].
    """
    rows = tensor.reshape(len(tensor), -1)
    ranked = np.where(np.isnan(rows), -np.inf, rows) if rows.dtype.kind == "f" else rows
    # Reversed twice, so that of equal values the first comes first without negating unsigned numbers.
    last = rows.shape[1] - 1
    order = last - np.argsort(ranked[:, ::-1], axis=1, kind="stable")[:, ::-1][:, :classes]
    top = np.empty(order.shape, dtype=object)
    for row, indices in enumerate(order.tolist()):
        for place, index in enumerate(indices):
            label = f":{labels[index]}" if labels else ""
            top[row, place] = f"{rows[row, index]!s}:{index}{label}"
    return top
