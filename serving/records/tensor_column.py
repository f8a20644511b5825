"""One input that is a whole tensor for each record: images, or what a bare network takes."""

from __future__ import annotations

import math
import struct
from itertools import chain
from typing import Any

import numpy as np

from serving.bundle.manifest import InputSpec
from serving.records.column import Column
from serving.records.datatypes import DTYPES, WIRE_DTYPES, Tensor
from serving.records.findings import SHOWN, Findings
from serving.records.rules import UnservableError

_LIST, _BOOL, _STR = frozenset({list}), frozenset({bool}), frozenset({str})
_INT, _NUMBER = frozenset({int}), frozenset({int, float})
_CODES = {
    "INT8": "b",
    "INT16": "h",
    "INT32": "i",
    "INT64": "q",
    "UINT8": "B",
    "UINT16": "H",
    "UINT32": "I",
    "UINT64": "Q",
    "FP16": "e",
    "FP32": "f",
    "FP64": "d",
}


class TensorColumn:
    """Reads and checks tensors of one shape; their values come flat or nested, or as a binary tensor.

    There are no rules but the datatype's own: numbers in its range and finite, text, true and false. NaN stands for
    null where the input is nullable, and is a violation elsewhere.

    Attributes:
        datatypes: The one that it accepts.
    """

    def __init__(self, spec: InputSpec) -> None:
        """Prepare the readers.

        Raises:
            UnservableError: There are rules, null has no form in the datatype, or datatype and tensor differ in kind.
        """
        self.spec = spec
        self.name = spec.name
        self.datatypes = frozenset({str(spec.datatype)})
        self.shapes = f"[{', '.join(map(str, ('rows', *spec.shape)))}]"
        self._inner = list(spec.shape)
        self._size = math.prod(spec.shape)
        self._dtype = WIRE_DTYPES.get(spec.datatype, np.dtype(object))
        self._floating = self._dtype.kind == "f"
        self._code = _CODES.get(spec.datatype)
        self._types = _NUMBER if self._floating else _INT
        if self._dtype != np.dtype(DTYPES[spec.tensor]):
            raise UnservableError(f"input {spec.name!r}: datatype {spec.datatype} is no tensor of {spec.tensor}")
        if spec.nullable and not self._floating:
            raise UnservableError(f"input {spec.name!r} may be null, but a tensor of {spec.datatype} has no null")
        ids = {rule.kind: rule.id for rule in spec.rules}
        if ids.keys() - {"required", "type"}:
            raise UnservableError(f"input {spec.name!r} is a tensor, which no contract's rules are for: {sorted(ids)}")
        self._required = (ids.get("required", f"{spec.name}.required"), "no null")
        self._type = (ids.get("type", f"{spec.name}.type"), self._words())

    def fits(self, inner: list[int]) -> bool:
        """Return whether a record may have this shape."""
        return inner == self._inner

    def flatten(self, data: Any, shape: list[int]) -> list[Any] | None:
        """Return the values in row-major order, or None if `data` does not hold exactly what the shape says."""
        if type(data) is not list:
            return None
        if len(data) == math.prod(shape) and type(data[0]) is not list:
            return data
        values, expected = data, shape[0]
        for size in shape[1:]:
            if len(values) != expected or not _LIST.issuperset(map(type, values)):
                return None
            if not {size}.issuperset(map(len, values)):
                return None
            values, expected = list(chain.from_iterable(values)), expected * size
        return values if len(values) == expected else None

    def tensor(self, values: list[Any] | Tensor, datatype: str, findings: Findings) -> Tensor | None:  # noqa: ARG002
        """Turn the wire's values into the graph's tensor.

        Args:
            values: The elements of all records, one after the other: JSON's values, or a binary tensor [elements].
            datatype: Of the request.
            findings: Takes one violation for each record that has any.

        Returns:
            A tensor [rows, ...] of the input's shape and type; None when a value is none of the datatype's.
        """
        tensor = self._of_list(values) if isinstance(values, list) else self._of_array(values)
        if tensor is not None:
            return tensor.reshape(-1, *self._inner)
        listed = values if isinstance(values, list) else values.tolist()
        for row, start in enumerate(range(0, len(listed), self._size)):
            record = listed[start : start + self._size]
            if not self._is_good(record):
                self._find(record, row, findings)
        return None

    def _of_list(self, values: list[Any]) -> Tensor | None:
        """Return the elements [elements], or None if one is none of the datatype's; the loops run in C."""
        if self._code is None:
            types = _BOOL if self._dtype.kind == "b" else _STR
            return np.array(values, dtype=self._dtype) if types.issuperset(map(type, values)) else None
        if not self._types.issuperset(map(type, values)):
            if not self.spec.nullable:
                return None
            values = [math.nan if value is None else value for value in values]
            if not self._types.issuperset(map(type, values)):
                return None
        try:
            # Twice as fast as numpy, and strict: what is beyond the range is refused.
            packed = struct.pack(f"<{len(values)}{self._code}", *values)
        except (struct.error, OverflowError):
            return None
        return np.frombuffer(packed, dtype=self._dtype)

    def _of_array(self, values: Tensor) -> Tensor | None:
        if not self._floating:
            return values
        holds = not np.isinf(values).any() if self.spec.nullable else np.isfinite(values).all()
        return values if holds else None

    def _is_good(self, record: list[Any]) -> bool:
        elements = self._of_list(record)
        return elements is not None and self._of_array(elements) is not None

    def _find(self, record: list[Any], row: int, findings: Findings) -> None:
        """Note a record's first wrong element; a few records are looked into so closely, the others only counted."""
        if len(findings.first) >= SHOWN:
            findings.count += 1
            return
        value = next(value for value in record if not self._is_good([value]))
        if isinstance(value, float) and not math.isfinite(value):
            value = None if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
        findings.add(self.name, self._required if value is None else self._type, row, value)

    def _words(self) -> str:
        if self._dtype.kind in "iu":
            limits = np.iinfo(self._dtype)
            return f"whole numbers from {limits.min} to {limits.max}"
        words = {"f": f"finite numbers of {self.spec.datatype}", "b": "true or false", "O": "strings"}
        return words[self._dtype.kind]


def column_of(spec: InputSpec) -> Column | TensorColumn:
    """Return what reads an input.

    Raises:
        UnservableError: The input needs what this endpoint cannot do.
    """
    return TensorColumn(spec) if spec.logical_type in {"image", "tensor"} else Column(spec)
