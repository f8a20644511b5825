"""Raw columns inside the graph: what several features derive from one of them is emitted once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
import spox.opset.ai.onnx.v18 as op
from spox import Var

from serving.bundle.manifest import NULL_TIMESTAMP, InputSpec
from tasks.export.calendar_graph import calendar_parts
from tasks.preprocessing.constants import CalendarPart

NO_PART = -1  # no calendar part is negative, so a null timestamp's part can travel as this integer


class RawColumn:
    """One raw column.

    Attributes:
        spec: How it enters the graph.
        raw: The tensor, [batch].
    """

    def __init__(self, spec: InputSpec, raw: Var) -> None:
        self.spec = spec
        self.raw = raw
        self._doubles: dict[CalendarPart | None, Var] = {}

    @cached_property
    def null(self) -> Var:
        """Null as bool [batch]; only for tensors that have a way to say it."""
        if self.spec.logical_type in {"date", "timestamp"}:
            return op.equal(self.raw, op.const(np.array(NULL_TIMESTAMP, np.int64)))
        assert self.spec.tensor == "float64"
        return op.isnan(self.raw)

    @cached_property
    def _parts(self) -> Mapping[CalendarPart, Var]:
        # The sentinel of null stands at the type's end, where the arithmetic would overflow.
        return calendar_parts(op.where(self.null, op.const(np.array(0, np.int64)), self.raw))

    def part(self, part: CalendarPart) -> Var:
        """A calendar part as int64 [batch], `NO_PART` for null."""
        return op.where(self.null, op.const(np.array(NO_PART, np.int64)), self._parts[part])

    def as_double(self, part: CalendarPart | None) -> Var:
        """The value as float64 [batch], NaN for null."""
        if part not in self._doubles:
            self._doubles[part] = self._to_double(part)
        return self._doubles[part]

    def _to_double(self, part: CalendarPart | None) -> Var:
        if self.spec.tensor == "float64":
            return self.raw
        assert self.spec.tensor != "string", self.spec.name
        value = op.cast(self.raw if part is None else self._parts[part], to=np.float64)
        if self.spec.logical_type in {"date", "timestamp"}:
            return op.where(self.null, op.const(np.array(np.nan)), value)
        return value


def stack(columns: Sequence[Var]) -> Var:
    """Join columns [batch] to [columns, batch]: two nodes, where widening each column first would take one a column."""
    return op.reshape(op.concat(columns, axis=0), op.const(np.array([len(columns), -1], np.int64)))
