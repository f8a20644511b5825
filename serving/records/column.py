"""One raw column of a request: from the values on the wire to the tensor that enters the graph."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import Any
from zoneinfo import ZoneInfoNotFoundError

import numpy as np

from serving.bundle.manifest import NULL_TIMESTAMP, InputSpec
from serving.records.datatypes import DTYPES, Tensor
from serving.records.findings import Findings
from serving.records.patterns import PatternError, group_finder
from serving.records.quick import KnownTexts, Quick, quick_numbers
from serving.records.readings import readings
from serving.records.repair import Texts
from serving.records.rules import Check, UnservableError, compile_rule
from serving.records.temporal import constant_reader

_LARGEST_FP32 = 3.4028234663852886e38
_NULLS = {"string": "", "float64": None, "float32": None, "int64": NULL_TIMESTAMP}
_WORDS = {
    "string": "a string",
    "integer": "a 64-bit integer",
    "number": "a finite number",
    "boolean": "true or false",
    "date": "a date as YYYY-MM-DD",
    "timestamp": "an ISO 8601 timestamp",
}
# What each kind of column may be inside the graph.
_TENSORS = {
    "string": {"string"},
    "integer": {"int64", "float64"},
    "number": {"float64", "float32"},
    "boolean": {"bool", "float64"},
    "date": {"int64"},
    "timestamp": {"int64"},
}
_LIST = frozenset({list})
_ONE = frozenset({1})


class Column:
    """Reads and checks the values of one input.

    Null has one form inside the graph for each tensor type (see `InputSpec`). Text is read as where the contract's
    data is parsed: put right as the input's `repair` says, which by default trims it and makes it null where it is
    empty or a null marker that the contract's `enum` does not name. Dates and timestamps are accepted as text and as
    INT64 microseconds since 1970 UTC. In binary tensors null is NaN, and the smallest INT64 for a moment.

    Attributes:
        datatypes: Those that it accepts.
    """

    shapes = "[rows] or [rows, 1]"

    def __init__(self, spec: InputSpec) -> None:
        """Compile the rules.

        Args:
            spec: The input.

        Raises:
            UnservableError: A rule or a pattern cannot be executed, the time zone is not known here, or datatype,
                tensor type and kind of column do not belong together, as where there is no room for null.
        """
        self.spec = spec
        self.name = spec.name
        self._temporal = spec.logical_type in {"date", "timestamp"}
        if spec.tensor not in _TENSORS[spec.logical_type]:
            raise UnservableError(f"input {spec.name!r}: a column of {spec.logical_type} is no tensor of {spec.tensor}")
        if spec.nullable and spec.tensor in {"int64", "bool"} and not self._temporal:
            raise UnservableError(f"input {spec.name!r} may be null, but a tensor of {spec.tensor} has no null")
        self._repaired = Texts(spec).repaired
        try:
            self._readings = readings(spec)
        except ZoneInfoNotFoundError as error:
            raise UnservableError(f"input {self.name!r}: this machine has no time zone {self.spec.zone}") from error
        self._extract = self._compile_extract()
        self.datatypes = frozenset(self._readings)
        if spec.datatype not in self.datatypes:
            raise UnservableError(
                f"input {spec.name!r}: a column of {spec.logical_type} is not read from {spec.datatype}"
            )
        ids = {rule.kind: rule.id for rule in spec.rules}
        self._required = (ids.get("required", f"{spec.name}.required"), "no null")
        self._type = (ids.get("type", f"{spec.name}.type"), _WORDS[spec.logical_type])
        self._checks = self._compile()
        self._dtype = DTYPES[spec.tensor]
        self._null = _NULLS.get(spec.tensor)
        self._known = KnownTexts({None: self._null} if spec.nullable else {})
        self._quick = {"BYTES": self._known} | self._numbers()
        self._narrow = spec.tensor == "float32"

    def fits(self, inner: list[int]) -> bool:
        """Return whether a record may have this shape: none, or one value in a list of its own."""
        return not inner or inner == [1]

    def flatten(self, data: Any, shape: list[int]) -> list[Any] | None:
        """Return one value for each row, or None if `data` does not hold exactly what the shape says."""
        if type(data) is not list or len(data) != shape[0]:
            return None
        if len(shape) == 1 or type(data[0]) is not list:
            return data
        if not _LIST.issuperset(map(type, data)) or not _ONE.issuperset(map(len, data)):
            return None
        return list(chain.from_iterable(data))

    def tensor(self, values: list[Any] | Tensor, datatype: str, findings: Findings) -> Tensor | None:
        """Turn the wire's values into the graph's tensor.

        For each column the values that break the first broken rule are found; rules after it are not looked at.

        Args:
            values: One JSON value per row, null included, or a binary tensor [rows]; not empty.
            datatype: The request's datatype, one of `datatypes`.
            findings: Takes the violations.

        Returns:
            The tensor, [rows]; None when a value breaks a rule.
        """
        if not isinstance(values, list):
            return self._of_array(values, datatype, findings)
        quick = self._quick.get(datatype)
        read = None if quick is None else quick(values)
        if read is None:
            read = self._judged(values, datatype, findings)
            if read is None:
                return None
            if datatype == "BYTES":
                self._known.learn(values, read)
        return np.array(read, dtype=self._dtype)

    def _judged(self, values: list[Any], datatype: str, findings: Findings) -> list[Any] | None:
        """Read and check JSON's values; return what enters the graph, or None when a value breaks a rule."""
        if datatype == "BYTES":
            values = self._repaired(values)
        nulls = None in values
        if nulls and not self.spec.nullable:
            for row in [row for row, value in enumerate(values) if value is None]:
                findings.add(self.name, self._required, row, None)
            return None
        present = [value for value in values if value is not None] if nulls else values
        read = self._read(present, datatype) if present else []
        if read is None:
            self._find_unreadable(values, datatype, findings)
            return None
        for check in self._checks:
            if read and not check.all_hold(read):
                self._find_broken(check, values, datatype, findings)
                return None
        if self._extract is not None:
            read = [self._extract(text) for text in read]
        if nulls:
            remaining, null = iter(read), self._null
            read = [null if value is None else next(remaining) for value in values]
        return read

    def _numbers(self) -> dict[str, Quick]:
        # Of other datatypes a number may have to be rounded first.
        own = {"number": "FP64", "integer": "INT64"}.get(self.spec.logical_type)
        quick = None if own is None else quick_numbers(self.spec)
        return {} if own is None or quick is None else {own: quick}

    def _of_array(self, values: Tensor, datatype: str, findings: Findings) -> Tensor | None:
        """Do what `tensor` does, by loops in C; wherever these are not sure, the list of the same values decides."""
        null = self._nulls(values)
        if null is None:
            read = self._read_array(values, datatype)
            if read is not None:
                return read.astype(self._dtype, copy=False)
        elif self.spec.nullable:
            tensor = np.full(len(values), self._null, dtype=self._dtype)
            if null.all():
                return tensor
            read = self._read_array(values[~null], datatype)
            if read is not None:
                tensor[~null] = read
                return tensor
        return self.tensor(_listed(values, null), datatype, findings)

    def _nulls(self, values: Tensor) -> Tensor | None:
        """Return where a binary tensor is null, or None where it is nowhere."""
        if values.dtype.kind == "f":
            null = np.isnan(values)
        elif self._temporal:
            null = values == NULL_TIMESTAMP
        else:
            return None
        return null if null.any() else None

    def _read_array(self, present: Tensor, datatype: str) -> Tensor | None:
        """Return the values as they are compared; None if one may have a wrong type or break a rule."""
        reading = self._readings[datatype].array
        read = None if reading is None else reading(present)
        if read is None or (self._narrow and _is_beyond(read.max(), read.min())):
            return None
        return read if all(check.array_holds(read) for check in self._checks) else None

    def _compile_extract(self) -> Callable[[str], str] | None:
        if self.spec.extract is None:
            return None
        try:
            # The empty text, where nothing is found, is null's form inside the graph.
            return group_finder(self.spec.extract)
        except PatternError as error:
            raise UnservableError(f"input {self.name!r}: cannot use {self.spec.extract!r:.200}: {error}") from error

    def _compile(self) -> tuple[Check, ...]:
        # A date's format says how it is written, and reading it decides.
        rules = [rule for rule in self.spec.rules if not (self._temporal and rule.kind == "format")]
        # A pattern is the slowest, so the lengths are checked first.
        rules.sort(key=lambda rule: rule.kind == "pattern")
        return tuple(check for rule in rules if (check := compile_rule(rule, self._constant)) is not None)

    def _constant(self, value: Any) -> Any:
        """Read a value written in the contract as this column's values are compared."""
        if not self._temporal:
            return value
        return constant_reader(self.spec)(value)

    def _read(self, present: list[Any], datatype: str) -> list[Any] | None:
        """Return the values as they are compared (temporal ones in microseconds), or None if one has a wrong type."""
        read = self._readings[datatype].values(present)
        if read is None or (self._narrow and _is_beyond(max(read), min(read))):
            return None
        return read

    def _find_unreadable(self, values: list[Any], datatype: str, findings: Findings) -> None:
        rule, words = self._type
        rule_here = (rule, words if datatype == self.spec.datatype else f"{words}, in {datatype}")
        for row, value in enumerate(values):
            if value is not None and self._read([value], datatype) is None:
                findings.add(self.name, rule_here, row, value)

    def _find_broken(self, check: Check, values: list[Any], datatype: str, findings: Findings) -> None:
        for row, value in enumerate(values):
            read = None if value is None else self._read([value], datatype)
            if read and not check.holds(read[0]):
                findings.add(self.name, (check.rule, check.expected), row, value)


def _is_beyond(largest: Any, smallest: Any) -> bool:
    return bool(largest > _LARGEST_FP32 or smallest < -_LARGEST_FP32)


def _listed(values: Tensor, null: Tensor | None) -> list[Any]:
    """Return a binary tensor as JSON's values; what JSON has no number for as text, which no such column reads."""
    listed: list[Any] = values.tolist()
    if null is not None:
        for row in np.flatnonzero(null).tolist():
            listed[row] = None
    if values.dtype.kind == "f":
        for row in np.flatnonzero(np.isinf(values)).tolist():
            listed[row] = "Infinity" if listed[row] > 0 else "-Infinity"
    return listed
