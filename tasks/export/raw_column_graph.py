"""Raw columns inside the graph: what several features derive from one of them is emitted once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import groupby

import numpy as np
import spox.opset.ai.onnx.v18 as op
from spox import Var

from serving.bundle.manifest import NULL_TIMESTAMP, InputSpec
from tasks.export.calendar_graph import CalendarGraph
from tasks.preprocessing.constants import CalendarPart


class RawColumn:
    """One raw column.

    Attributes:
        spec: How it enters the graph.
        raw: The tensor, [batch].
    """

    def __init__(self, spec: InputSpec, raw: Var) -> None:
        self.spec = spec
        self.raw = raw
        self._numbers: dict[CalendarPart | None, Var] = {}

    @cached_property
    def null(self) -> Var:
        """Null as bool [batch]; only for tensors that have a way to say it."""
        if self.spec.logical_type in {"date", "timestamp"}:
            return op.equal(self.raw, op.const(np.array(NULL_TIMESTAMP, np.int64)))
        assert self.spec.tensor == "float64"
        return op.isnan(self.raw)

    @cached_property
    def calendar(self) -> CalendarGraph:
        """Calendar parts of a timestamp."""
        return CalendarGraph(self.raw, self.null if self.spec.nullable else None)

    def number(self, part: CalendarPart | None) -> Var:
        """The value, or a calendar part of it, [batch]: float64 with NaN for null, int64 or bool where none is."""
        if part not in self._numbers:
            self._numbers[part] = self._to_number(part)
        return self._numbers[part]

    def _to_number(self, part: CalendarPart | None) -> Var:
        if part is not None:
            return self.calendar.look_up(part, lambda values: values.astype(np.float64), np.nan)
        assert self.spec.tensor != "string", self.spec.name
        if self.spec.logical_type in {"date", "timestamp"}:
            return op.where(self.null, op.const(np.array(np.nan)), op.cast(self.raw, to=np.float64))
        return self.raw


def stack(columns: Sequence[Var]) -> Var:
    """Join columns [batch] to [columns, batch]: two nodes, where widening each column first would take one a column."""
    return op.reshape(_end_to_end(columns), op.const(np.array([len(columns), -1], np.int64)))


def stack_doubles(columns: Sequence[Var]) -> Var:
    """Join numbers [batch] to float64 [columns, batch]; neighbours of another type are converted together."""
    parts: list[Var] = []
    for dtype, neighbours in groupby(columns, key=dtype_of):
        same = list(neighbours)
        parts += same if dtype == np.float64 else [op.cast(_end_to_end(same), to=np.float64)]
    return op.reshape(_end_to_end(parts), op.const(np.array([len(columns), -1], np.int64)))


def dtype_of(value: Var) -> np.dtype:
    """Return the type of a tensor's elements."""
    return np.dtype(value.unwrap_tensor().dtype)


def _end_to_end(columns: Sequence[Var]) -> Var:
    return op.concat(columns, axis=0) if len(columns) > 1 else columns[0]
