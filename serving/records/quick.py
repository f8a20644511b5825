"""The quick way through a column: values that are plainly right, in one or two calls that loop in C.

It says only yes or "look closer": whatever it does not take, `Column` reads and judges step by step.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from serving.bundle.manifest import InputRule, InputSpec
from serving.records.formats import FLOAT32_MAX, NUMBER_FORMATS

Quick = Callable[[list[Any]], list[Any] | None]

_LARGEST_INT64 = 2**63 - 1
# Whole numbers up to here compare the same as int and as float64.
_LARGEST_EXACT = 2**53
_SINGLE = 1
_MOST_TEXTS = 2048
_LONGEST_TEXT = 64


class KnownTexts:
    """What texts became that were read and checked before; most columns of text say the same few things.

    Args:
        nulls: What JSON's null becomes, by None; empty where null is not allowed.
    """

    def __init__(self, nulls: Mapping[None, Any]) -> None:
        self._nulls = nulls
        self._known: dict[Any, Any] = {**nulls}

    def __call__(self, values: list[Any]) -> list[Any] | None:
        """Return what enters the graph, or None if a value is not known."""
        try:
            return list(map(self._known.__getitem__, values))
        except (KeyError, TypeError):
            # Not seen before, or a list or an object.
            return None

    def learn(self, values: list[Any], read: list[Any]) -> None:
        """Keep what the texts of a request became, as far as there is room."""
        if len(self._known) > _MOST_TEXTS:
            self._known = {**self._nulls}
        for value, became in zip(values[:_MOST_TEXTS], read, strict=False):
            if value is not None and len(value) <= _LONGEST_TEXT:
                self._known[value] = became


def quick_numbers(spec: InputSpec) -> Quick | None:
    """Return the quick way for numbers of the column's own datatype; None where its rules are more than bounds.

    Null stays None, which numpy turns into NaN.
    """
    types, low, high = _span(spec)
    for rule in spec.rules:
        if rule.kind in {"type", "required"}:
            continue
        bounds = _bounds(rule)
        if bounds is None:
            return None
        low, high = max(low, bounds[0]), min(high, bounds[1])

    nullable = spec.nullable

    def quick(values: list[Any]) -> list[Any] | None:
        if len(values) == _SINGLE:
            value = values[0]
            good = low <= value <= high if type(value) in types else value is None and nullable
            return values if good else None
        present = values
        if not types.issuperset(map(type, values)):
            present = [value for value in values if value is not None]
            if not (nullable and present and types.issuperset(map(type, present))):
                return None
        return values if low <= min(present) and max(present) <= high else None

    return quick


def _span(spec: InputSpec) -> tuple[frozenset[type], float, float]:
    if spec.logical_type == "integer":
        return frozenset({int}), -_LARGEST_INT64 - 1, _LARGEST_INT64
    if spec.tensor == "float32":
        return frozenset({float}), -FLOAT32_MAX, FLOAT32_MAX
    return frozenset({float, int}), -_LARGEST_EXACT, _LARGEST_EXACT


def _bounds(rule: InputRule) -> Sequence[float] | None:
    argument = rule.argument
    if rule.kind == "format":
        return NUMBER_FORMATS.get(argument)
    if rule.kind not in {"minimum", "maximum"} or not isinstance(argument, int | float):
        return None
    return (argument, math.inf) if rule.kind == "minimum" else (-math.inf, argument)
