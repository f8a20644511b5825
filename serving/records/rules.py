"""The contract's row rules, compiled so that a whole column is checked by a few calls that loop in C.

Values arrive as Python objects (that is what a JSON parser gives), so `min`, `max`, set inclusion and `map` over the
list beat building an array first: for one row by far, for thousands of rows still slightly. They also compare integers
exactly beyond 2**53. Values that arrive as a binary tensor stay an array. Only when a column breaks a rule are its
values looked at one by one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from serving.bundle.manifest import InputRule
from serving.records.datatypes import Tensor
from serving.records.formats import DOCUMENTING_FORMATS, NUMBER_FORMATS, STRING_FORMATS
from serving.records.patterns import finder

Values = Sequence[Any]
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Check:
    """One rule, ready to run on the non-null values of a column.

    Attributes:
        rule: The rule's id in the contract.
        expected: What the rule asks for, in words.
        holds: Whether one value keeps the rule.
        all_hold: Whether every value does; the same answer, for a whole non-empty column.
        array_holds: The same answer for a non-empty array of int64, float64 or bool.
    """

    rule: str
    expected: str
    holds: Callable[[Any], bool]
    all_hold: Callable[[Values], bool]
    array_holds: Callable[[Tensor], bool]


class UnservableError(ValueError):
    """An input or a rule that this endpoint cannot execute; a bundle that needs it is not served."""


def compile_rule(rule: InputRule, read: Callable[[Any], Any]) -> Check | None:
    """Turn a rule of the manifest into a check.

    Args:
        rule: The rule. Lengths count characters; patterns are searched for, not matched from the start.
        read: Turns a value written in the contract into what the column's values are compared as (an ISO 8601
            timestamp into microseconds, for one).

    Returns:
        The check; None for `type` and `required`, which reading the column decides, and for a format that only
        documents.

    Raises:
        UnservableError: The kind or the format is unknown, or the argument does not fit the kind.
    """
    if rule.kind in {"type", "required"}:
        return None
    if rule.kind not in _COMPILERS:
        raise UnservableError(f"rule {rule.id!r} is of unknown kind {rule.kind!r}")
    try:
        return _COMPILERS[rule.kind](rule, read)
    except (TypeError, ValueError, OverflowError) as error:
        raise UnservableError(f"rule {rule.id!r} ({rule.kind}): cannot use {rule.argument!r:.200}: {error}") from error


def _minimum(rule: InputRule, read: Callable[[Any], Any]) -> Check:
    bound = read(rule.argument)
    return _least(rule.id, f">= {rule.argument}", lambda v: v >= bound)


def _maximum(rule: InputRule, read: Callable[[Any], Any]) -> Check:
    bound = read(rule.argument)
    return _greatest(rule.id, f"<= {rule.argument}", lambda v: v <= bound)


def _exclusive_minimum(rule: InputRule, read: Callable[[Any], Any]) -> Check:
    bound = read(rule.argument)
    return _least(rule.id, f"> {rule.argument}", lambda v: v > bound)


def _exclusive_maximum(rule: InputRule, read: Callable[[Any], Any]) -> Check:
    bound = read(rule.argument)
    return _greatest(rule.id, f"< {rule.argument}", lambda v: v < bound)


def _least(rule: str, expected: str, holds: Callable[[Any], bool]) -> Check:
    """Return a check that every value keeps if the smallest does; `item` gives Python's numbers, compared exactly."""
    return Check(rule, expected, holds, lambda vs: holds(min(vs)), lambda array: holds(array.min().item()))


def _greatest(rule: str, expected: str, holds: Callable[[Any], bool]) -> Check:
    return Check(rule, expected, holds, lambda vs: holds(max(vs)), lambda array: holds(array.max().item()))


def _enum(rule: InputRule, read: Callable[[Any], Any]) -> Check:
    allowed = frozenset(read(value) for value in rule.argument)
    shown = ", ".join(repr(value) for value in rule.argument[:_SHOWN])
    more = f" and {len(rule.argument) - _SHOWN} more" if len(rule.argument) > _SHOWN else ""
    # A set of Python's numbers is faster than `np.isin` up to many thousands of rows, and exact.
    return Check(
        rule.id,
        f"one of {shown}{more}",
        allowed.__contains__,
        allowed.issuperset,
        lambda array: allowed.issuperset(array.tolist()),
    )


# As in `data_contracts.row_rules`: a quotient counts as whole within this share of itself, so that 0.3 is a multiple of
# 0.1; a test holds the two to each other.
_WHOLE = 1e-15
_LARGEST_INT64 = 2**63 - 1


def _multiple_of(rule: InputRule, read: Callable[[Any], Any]) -> Check:
    step = read(rule.argument)
    if not step > 0:
        raise ValueError("expected a number above 0")
    whole = int(step) if float(step).is_integer() else None

    def holds(value: float) -> bool:
        if whole is not None and isinstance(value, int):
            return value % whole == 0
        quotient = float(value) / step
        # So large that the quotient overflows, every float64 is a multiple of a fraction.
        return math.isinf(quotient) or abs(quotient - round(quotient)) <= _WHOLE * abs(quotient)

    def array_holds(array: Tensor) -> bool:
        if whole is not None and array.dtype.kind == "i":
            # A step beyond INT64 is left to Python's integers.
            return whole <= _LARGEST_INT64 and not (array % whole).any()
        with np.errstate(over="ignore", invalid="ignore"):
            quotients = array.astype(np.float64) / step
            near = np.abs(quotients - np.rint(quotients)) <= _WHOLE * np.abs(quotients)
        return bool((np.isinf(quotients) | near).all())

    expected = f"a multiple of {rule.argument}"
    return Check(rule.id, expected, holds, lambda vs: all(map(holds, vs)), array_holds)


def _min_length(rule: InputRule, _: Callable[[Any], Any]) -> Check:
    bound = int(rule.argument)
    return _texts(
        rule.id, f"at least {bound} characters", lambda v: len(v) >= bound, lambda vs: min(map(len, vs)) >= bound
    )


def _max_length(rule: InputRule, _: Callable[[Any], Any]) -> Check:
    bound = int(rule.argument)
    return _texts(
        rule.id, f"at most {bound} characters", lambda v: len(v) <= bound, lambda vs: max(map(len, vs)) <= bound
    )


def _pattern(rule: InputRule, _: Callable[[Any], Any]) -> Check:
    return _searched(rule, f"text with the pattern {rule.argument}", rule.argument)


def _format(rule: InputRule, _: Callable[[Any], Any]) -> Check | None:
    if rule.argument in DOCUMENTING_FORMATS:
        return None
    expected = f"the format {rule.argument}"
    if rule.argument in STRING_FORMATS:
        return _searched(rule, expected, STRING_FORMATS[rule.argument])
    if rule.argument not in NUMBER_FORMATS:
        raise ValueError(f"expected one of {', '.join([*STRING_FORMATS, *NUMBER_FORMATS])}")
    low, high = NUMBER_FORMATS[rule.argument]
    return Check(
        rule.id,
        expected,
        lambda v: low <= v <= high,
        lambda vs: low <= min(vs) and max(vs) <= high,
        lambda array: low <= array.min().item() and array.max().item() <= high,
    )


def _searched(rule: InputRule, expected: str, pattern: str) -> Check:
    find = finder(pattern)
    return _texts(rule.id, expected, lambda v: bool(find(v)), lambda vs: all(map(find, vs)))


def _texts(rule: str, expected: str, holds: Callable[[Any], bool], all_hold: Callable[[Values], bool]) -> Check:
    # Texts come as a list in any case.
    return Check(rule, expected, holds, all_hold, lambda array: all_hold(array.tolist()))


_COMPILERS: dict[str, Callable[[InputRule, Callable[[Any], Any]], Check | None]] = {
    "minimum": _minimum,
    "maximum": _maximum,
    "exclusive_minimum": _exclusive_minimum,
    "exclusive_maximum": _exclusive_maximum,
    "enum": _enum,
    "multiple_of": _multiple_of,
    "min_length": _min_length,
    "max_length": _max_length,
    "pattern": _pattern,
    "format": _format,
}
