"""Example values of a model's inputs; the endpoint itself accepts every one of them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
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
_LETTERS = ("example", "A", "a", "0")
_LONGEST = 40


def example_record(specs: Sequence[InputSpec]) -> dict[str, Any] | None:
    """Return a record that keeps the rules, or None where one input's are not met by any value tried here.

    Args:
        specs: The model's inputs. The larger tensors have no example.
    """
    record = {}
    for spec in specs:
        found = example_value(spec)
        if found is None and not spec.nullable:
            return None
        record[spec.name] = found
    return record


def example_value(spec: InputSpec) -> Any:
    """Return the first value that keeps the rules: the contract's example, an allowed value, a bound, a placeholder.

    Returns:
        The value, nested for a tensor; None where null is all that is known, or nothing is.
    """
    if spec.logical_type in {"image", "tensor"}:
        return _zeros(spec, spec.shape) if math.prod(spec.shape) <= _LARGEST else None
    column = column_of(spec)
    assert isinstance(column, Column)
    return next((value for value in _candidates(spec) if _keeps(column, value)), None)


def _candidates(spec: InputSpec) -> Iterator[Any]:
    yield from spec.examples
    rules = {rule.kind: rule.argument for rule in spec.rules}
    yield from rules.get("enum", ())
    yield from (rules[bound] for bound in ("minimum", "maximum") if bound in rules)
    whole = spec.logical_type == "integer"
    for bound, away in (("exclusive_minimum", 1), ("exclusive_maximum", -1)):
        if isinstance(rules.get(bound), int | float):
            limit = rules[bound]
            step = rules.get("multiple_of", 1)
            yield limit + away * step
            if not whole:
                yield math.nextafter(limit, math.inf * away)
    if isinstance(rules.get("multiple_of"), int | float):
        yield rules["multiple_of"]
    yield from _PLACEHOLDERS.get(spec.logical_type, ())
    if spec.logical_type == "string":
        yield from _texts(int(rules.get("min_length", 1)))


def _texts(shortest: int) -> Iterator[str]:
    yield _LETTERS[0]
    for length in range(max(shortest, 1), max(shortest, 1) + _LONGEST):
        yield from (letter * length for letter in _LETTERS[1:])


def _keeps(column: Column, value: Any) -> bool:
    """Tell whether the endpoint takes a value as it stands in a record."""
    if value is None or (column.spec.logical_type == "boolean") is not isinstance(value, bool):
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
