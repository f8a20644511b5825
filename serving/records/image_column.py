"""One input of images: from the JSON values on the wire to the tensor of pixels that enters the graph."""

from __future__ import annotations

import math
from itertools import chain
from typing import Any

import numpy as np

from serving.bundle.manifest import InputSpec
from serving.records.column import Column, Findings, Tensor

_LIST, _INT = frozenset({list}), frozenset({int})
_LEVELS = "whole numbers from 0 to 255"


class ImageColumn:
    """Reads and checks images of one shape; their values come flat or nested."""

    datatypes = frozenset({"UINT8"})

    def __init__(self, spec: InputSpec) -> None:
        self.spec = spec
        self.name = spec.name
        self.shapes = f"[rows, {', '.join(map(str, spec.shape))}]"
        self._inner = list(spec.shape)
        self._size = math.prod(spec.shape)
        ids = {rule.kind: rule.id for rule in spec.rules}
        self._required = (ids.get("required", f"{spec.name}.required"), "no null")
        self._type = (ids.get("type", f"{spec.name}.type"), _LEVELS)

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
        return values

    def tensor(self, values: list[Any], datatype: str, findings: Findings) -> Tensor | None:  # noqa: ARG002
        """Turn the wire's values into the graph's tensor.

        Args:
            values: The levels of all images, one after the other.
            datatype: Of the request.
            findings: Takes one violation for each image that has any.

        Returns:
            uint8 [rows, H, W, C]; None when a value is no level.
        """
        levels = _levels(values)
        if levels is not None:
            return np.frombuffer(levels, dtype=np.uint8).reshape(-1, *self._inner)
        for row, start in enumerate(range(0, len(values), self._size)):
            image = values[start : start + self._size]
            if _levels(image) is None:
                wrong = next(value for value in image if _levels([value]) is None)
                findings.add(self.name, self._required if wrong is None else self._type, row, wrong)
        return None


def _levels(values: list[Any]) -> bytes | None:
    """Return the values as bytes, None if one is no whole number of 0 to 255; both loops run in C."""
    if not _INT.issuperset(map(type, values)):
        return None
    try:
        return bytes(values)
    except ValueError:
        return None


def column_of(spec: InputSpec) -> Column | ImageColumn:
    """Return what reads an input.

    Raises:
        UnservableError: The input needs what this endpoint cannot do.
    """
    return ImageColumn(spec) if spec.logical_type == "image" else Column(spec)
