"""Finished features as rows of tensors, and how they come into the order of the matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import spox.opset.ai.onnx.v18 as op
from spox import Var


@dataclass(frozen=True)
class FeatureRows:
    """Finished features that were computed together.

    Attributes:
        places: The row of each feature by name; a row may be no feature's.
        count: How many rows there are.
        values: float32 [count, batch].
    """

    places: Mapping[str, int]
    count: int
    values: Var

    @classmethod
    def of(cls, names: Sequence[str], values: Var) -> FeatureRows:
        """Take float32 [names, batch]."""
        return cls({name: row for row, name in enumerate(names)}, len(names), values)


def ordered_columns(groups: Sequence[FeatureRows], names: Sequence[str]) -> Var:
    """Return the features named as float32 [batch, names]."""
    joined = groups[0].values if len(groups) == 1 else op.concat([group.values for group in groups], axis=0)
    places: dict[str, int] = {}
    rows = 0
    for group in groups:
        places |= {name: rows + row for name, row in group.places.items()}
        rows += group.count
    order = [places[name] for name in names]
    if order != list(range(rows)):
        joined = op.gather(joined, op.const(np.array(order, np.int64)), axis=0)
    return op.transpose(joined)
