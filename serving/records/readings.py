"""How the values of a column are read from each datatype on the wire, as JSON's values and as a binary tensor.

The datatype says what a value is: a JSON number in a tensor of FP32 is the nearest FP32, as it would be in binary. Both
ways end with the same values, which a test holds to each other. A reading of an array may give up where the list's
reading would not (the list's is then asked), never the other way round.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from serving.bundle.manifest import Datatype, InputSpec
from serving.records.datatypes import FLOATS, INTEGERS, WIRE_DTYPES, Tensor
from serving.records.repair import number_reader
from serving.records.temporal import MICROS_PER_DAY, instant_readers

_LARGEST_INT64 = 2**63 - 1
_LARGEST_EXACT = 2**53
_INT, _BOOL, _STR, _NUMBER = frozenset({int}), frozenset({bool}), frozenset({str}), frozenset({int, float})
_BITS = frozenset({0, 1})


class Reading(NamedTuple):
    """How non-null values of one datatype become what rules compare.

    That is `str`, `int` (microseconds for a moment), `float` or `bool`; as an array int64, float64 or bool.

    Attributes:
        values: From a non-empty list of JSON's values; None if one is of a wrong type.
        array: From a non-empty tensor [rows] of the wire's dtype; None if `values` must decide. Text has none: it comes
            as a list in any case.
    """

    values: Callable[[list[Any]], list[Any] | None]
    array: Callable[[Tensor], Tensor | None] | None = None


def readings(spec: InputSpec) -> dict[str, Reading]:
    """Return how a column is read, by the datatypes that it accepts.

    A column accepts its own datatype and each that it can be read from without loss.

    Raises:
        ZoneInfoNotFoundError: This machine does not know the input's time zone.
    """
    match spec.logical_type:
        case "string":
            return {"BYTES": Reading(partial(_typed, types=_STR))}
        case "date" | "timestamp":
            read = instant_readers(spec)
            array = _days if spec.logical_type == "date" else _same
            return {
                "BYTES": Reading(partial(_each, read=read["BYTES"])),
                "INT64": Reading(partial(_each, read=read["INT64"]), array),
            }
        case "boolean":
            found = {"BOOL": Reading(partial(_typed, types=_BOOL), _same)}
            if spec.nullable:
                # These have room for null, as NaN.
                found |= {name: Reading(partial(_switches, name=name), _switch_array) for name in FLOATS[1:]}
        case "integer":
            found = {name: Reading(partial(_integers, limits=_held(name)), _integer_array) for name in INTEGERS}
            if spec.nullable:
                found |= {name: Reading(partial(_whole, name=name), _whole_array) for name in FLOATS[1:]}
        case _:
            found = {"FP64": Reading(_numbers, _finite_array)}
            found |= {name: Reading(partial(_rounded, name=name), _finite_array) for name in FLOATS[:2]}
            found |= {name: Reading(partial(_exact, name=name), _exact_array) for name in INTEGERS}
    reader = number_reader(spec)
    return found if reader is None else found | {"BYTES": Reading(partial(_each, read=reader))}


def _each(present: list[Any], read: Callable[[Any], Any]) -> list[Any] | None:
    try:
        return list(map(read, present))
    except (TypeError, ValueError):
        return None


def _typed(present: list[Any], types: frozenset[type]) -> list[Any] | None:
    return present if types.issuperset(map(type, present)) else None


def _numbers(present: list[Any]) -> list[Any] | None:
    types = set(map(type, present))
    if not types <= _NUMBER:
        return None
    # The contract compares numbers as float64, whole ones too.
    return list(map(float, present)) if int in types else present


def _rounded(present: list[Any], name: Datatype) -> list[Any] | None:
    if not _NUMBER.issuperset(map(type, present)):
        return None
    with np.errstate(over="ignore"):
        nearest = np.array(present, dtype=np.float64).astype(WIRE_DTYPES[name])
    return list(nearest.tolist()) if np.isfinite(nearest).all() else None


def _floats(present: list[Any], name: Datatype) -> list[Any] | None:
    return _numbers(present) if name == "FP64" else _rounded(present, name)


def _integers(present: list[Any], limits: tuple[int, int]) -> list[Any] | None:
    if not _INT.issuperset(map(type, present)):
        return None
    low, high = limits
    return present if low <= min(present) and max(present) <= high else None


def _exact(present: list[Any], name: Datatype) -> list[Any] | None:
    whole = _integers(present, _limits(name))
    if whole is None:
        return None
    floats = list(map(float, whole))
    return floats if floats == whole else None


def _whole(present: list[Any], name: Datatype) -> list[Any] | None:
    floats = _floats(present, name)
    if floats is None or not all(map(float.is_integer, floats)):
        return None
    return _integers(list(map(int, floats)), _held("INT64"))


def _switches(present: list[Any], name: Datatype) -> list[Any] | None:
    floats = _floats(present, name)
    return None if floats is None or not _BITS.issuperset(floats) else list(map(bool, floats))


def _same(array: Tensor) -> Tensor | None:
    return array


def _days(array: Tensor) -> Tensor | None:
    return None if (array % MICROS_PER_DAY).any() else array


def _finite_array(array: Tensor) -> Tensor | None:
    return array.astype(np.float64, copy=False) if np.isfinite(array).all() else None


def _integer_array(array: Tensor) -> Tensor | None:
    if array.dtype == np.uint64 and array.max() > _LARGEST_INT64:
        return None
    return array.astype(np.int64, copy=False)


def _exact_array(array: Tensor) -> Tensor | None:
    wide = array.dtype.itemsize == np.dtype(np.int64).itemsize
    if wide and (array.max() > _LARGEST_EXACT or array.min() < -_LARGEST_EXACT):
        return None
    return array.astype(np.float64)


def _whole_array(array: Tensor) -> Tensor | None:
    # A NaN is null and was left out; an infinity is beyond the range.
    if not (np.abs(array) <= _LARGEST_EXACT).all() or (array != np.rint(array)).any():
        return None
    return array.astype(np.int64)


def _switch_array(array: Tensor) -> Tensor | None:
    on = array == 1
    return on if (on | (array == 0)).all() else None


def _limits(name: Datatype) -> tuple[int, int]:
    limits = np.iinfo(WIRE_DTYPES[name])
    return int(limits.min), int(limits.max)


def _held(name: Datatype) -> tuple[int, int]:
    """Return a datatype's limits within those of INT64, which is all that an integer column holds."""
    low, high = _limits(name)
    return low, min(high, _LARGEST_INT64)
