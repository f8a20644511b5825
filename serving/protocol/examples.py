"""Example values of a model's inputs; the endpoint itself accepts every one of them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from serving.bundle.manifest import InputSpec
from serving.records.column import Column
from serving.records.findings import Findings
from serving.records.tensor_column import column_of

# Values of one record's example; a large picture's would fill the page.
_LARGEST = 1024
_ZEROS: dict[str, Any] = {"BYTES": "", "BOOL": False, "FP16": 0.0, "FP32": 0.0, "FP64": 0.0}
_PLACEHOLDERS: dict[str, tuple[Any, ...]] = {
    "integer": (0, 1),
    "number": (0.0, 1.0),
    "boolean": (False, True),
    "date": ("2000-01-01",),
    "timestamp": ("2000-01-01T00:00:00Z",),
}
_NOTHING: Mapping[str, Any] = {}
_LETTERS = ("example", "A", "a", "0")
_LONGEST = 40
_HUGE = 1e150
_LEAST_INT64 = -(2**63)


def example_record(specs: Sequence[InputSpec], typical: Mapping[str, Any] = _NOTHING) -> dict[str, Any] | None:
    """Return a record that keeps the rules, or None where one input's are not met by any value tried here.

    Args:
        specs: The model's inputs. The larger tensors have no example.
        typical: Values by input, preferred to all but the contract's own examples.
    """
    record = {}
    for spec in specs:
        found = example_value(spec, typical.get(spec.name))
        if found is None and (spec.shape or not spec.nullable):
            return None
        record[spec.name] = found
    return record


def example_value(spec: InputSpec, typical: Any = None) -> Any:
    """Return the first value that keeps the rules.

    Tried are the contract's examples, the typical value, the allowed values, the middle between the bounds, the bounds,
    placeholders.

    Args:
        spec: The input.
        typical: A value to try early; None for none.

    Returns:
        The value, nested for a tensor; None where null is all that is known, or nothing is.
    """
    if spec.logical_type in {"image", "tensor"}:
        return _zeros(spec, spec.shape) if math.prod(spec.shape) <= _LARGEST else None
    column = column_of(spec)
    assert isinstance(column, Column)
    return next((value for value in _candidates(spec, typical) if _keeps(column, value)), None)


def _candidates(spec: InputSpec, typical: Any) -> Iterator[Any]:
    yield from spec.examples
    yield typical
    rules = {rule.kind: rule.argument for rule in spec.rules}
    yield from rules.get("enum", ())
    if spec.logical_type in {"integer", "number"}:
        yield from _numbers(rules)
    yield from (rules[bound] for bound in ("minimum", "maximum") if bound in rules)
    yield from _PLACEHOLDERS.get(spec.logical_type, ())
    if spec.logical_type == "string":
        yield from _texts(int(rules.get("min_length", 1)))


def _numbers(rules: Mapping[str, Any]) -> Iterator[float]:
    low, high = (_size(rules, f"{end}imum", f"exclusive_{end}imum") for end in ("min", "max"))
    step = _size(rules, "multiple_of") or 1
    if low is not None and high is not None:
        middle = (low + high) / 2
        yield step * round(middle / step)
        yield middle
    elif high is not None:
        yield from (0, step)
    if low is not None:
        yield from (low + step, math.nextafter(low, math.inf))
    if high is not None:
        yield from (high - step, math.nextafter(high, -math.inf))
    yield step


def _size(rules: Mapping[str, Any], *kinds: str) -> float | None:
    """Return the first of these rules' numbers that can be calculated with."""
    found = (rules[kind] for kind in kinds if kind in rules)
    return next((size for size in found if isinstance(size, int | float) and abs(size) < _HUGE), None)


def _texts(shortest: int) -> Iterator[str]:
    yield _LETTERS[0]
    for length in range(max(shortest, 1), max(shortest, 1) + _LONGEST):
        yield from (letter * length for letter in _LETTERS[1:])


def _keeps(column: Column, value: Any) -> bool:
    """Tell whether the endpoint takes a value as it stands in a record."""
    if value is None or (column.spec.logical_type == "boolean") is not isinstance(value, bool):
        return False
    if isinstance(value, int) and not _LEAST_INT64 <= value < -_LEAST_INT64:
        return False
    text = isinstance(value, str)
    if text and "BYTES" not in column.datatypes:
        return False
    findings = Findings()
    read = column.tensor([value], "BYTES" if text else column.spec.datatype, findings)
    return read is not None and not findings.count


def _zeros(spec: InputSpec, shape: Sequence[int]) -> Any:
    if not shape:
        return _ZEROS.get(spec.datatype, 0)
    return [_zeros(spec, shape[1:]) for _ in range(shape[0])]
