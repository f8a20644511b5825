"""One raw column of a request: from the JSON values on the wire to the tensor that enters the graph."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import chain
from typing import Any
from zoneinfo import ZoneInfoNotFoundError

import numpy as np
import orjson

from serving.bundle.manifest import NULL_TIMESTAMP, InputSpec
from serving.errors import Violation
from serving.records.repair import Texts, number_reader
from serving.records.rules import Check, UnservableError, compile_rule
from serving.records.temporal import constant_reader, instant_readers

# A tensor of shape [rows], of images [rows, H, W, C]; its dtype is the input's tensor type, text as an object array of
# str.
Tensor = np.ndarray[tuple[int, ...], np.dtype[Any]]

SHOWN = 5
_SHOWN_CHARACTERS = 100
_LARGEST_INT64 = 2**63 - 1
_LARGEST_FP32 = 3.4028234663852886e38
DTYPES = {
    "string": np.object_,
    "float64": np.float64,
    "float32": np.float32,
    "int64": np.int64,
    "bool": np.bool_,
    "uint8": np.uint8,
}
_NULLS = {"string": "", "float64": None, "float32": None, "int64": NULL_TIMESTAMP}
_TYPES = {
    "string": frozenset({str}),
    "integer": frozenset({int}),
    "number": frozenset({int, float}),
    "boolean": frozenset({bool}),
}
_WORDS = {
    "string": "a string",
    "integer": "a 64-bit integer",
    "number": "a finite number",
    "boolean": "true or false",
    "date": "a date as YYYY-MM-DD",
    "timestamp": "an ISO 8601 timestamp",
}
_LIST = frozenset({list})
_ONE = frozenset({1})


class Findings:
    """The violations of one request: all counted, the first few kept."""

    def __init__(self) -> None:
        self.count = 0
        self.first: list[Violation] = []

    def add(self, column: str, rule: tuple[str, str], row: int, got: Any) -> None:
        """Note one value; `rule` is the rule's id and what it expects."""
        self.count += 1
        if len(self.first) < SHOWN:
            name, expected = rule
            self.first.append({"column": column, "rule": name, "row": row, "expected": expected, "got": _shown(got)})


class Column:
    """Reads and checks the values of one input.

    Null has one form inside the graph for each tensor type (see `InputSpec`). Text is read as where the contract's
    data is parsed: put right as the input's `repair` says, which by default trims it and makes it null where it is
    empty or a null marker that the contract's `enum` does not name. Dates and timestamps are accepted as text and as
    INT64 microseconds since 1970 UTC.
    """

    shapes = "[rows] or [rows, 1]"

    def __init__(self, spec: InputSpec) -> None:
        """Compile the rules.

        Args:
            spec: The input.

        Raises:
            UnservableError: A rule or a pattern cannot be executed, the time zone is not known here, or the tensor
                type has no room for null.
        """
        self.spec = spec
        self.name = spec.name
        self._temporal = spec.logical_type in {"date", "timestamp"}
        if spec.nullable and spec.tensor in {"int64", "bool"} and not self._temporal:
            raise UnservableError(f"input {spec.name!r} may be null, but a tensor of {spec.tensor} has no null")
        self._texts = Texts(spec)
        self._readers = self._compile_readers()
        self._extract = self._compile_extract()
        self.datatypes = frozenset({spec.datatype, *self._readers})
        ids = {rule.kind: rule.id for rule in spec.rules}
        self._required = (ids.get("required", f"{spec.name}.required"), "no null")
        self._type = (ids.get("type", f"{spec.name}.type"), _WORDS[spec.logical_type])
        self._checks = self._compile()
        self._dtype = DTYPES[spec.tensor]

    def fits(self, inner: list[int]) -> bool:
        """Return whether a record may have this shape: none, or one value in a list of its own."""
        return inner in ([], [1])

    def flatten(self, data: Any, shape: list[int]) -> list[Any] | None:
        """Return one value for each row, or None if `data` does not hold exactly what the shape says."""
        if type(data) is not list or len(data) != shape[0]:
            return None
        if len(shape) == 1 or type(data[0]) is not list:
            return data
        if not _LIST.issuperset(map(type, data)) or not _ONE.issuperset(map(len, data)):
            return None
        return list(chain.from_iterable(data))

    def tensor(self, values: list[Any], datatype: str, findings: Findings) -> Tensor | None:
        """Turn the wire's values into the graph's tensor.

        For each column the values that break the first broken rule are found; rules after it are not looked at.

        Args:
            values: One JSON value per row, null included; not empty.
            datatype: The request's datatype, one of `datatypes`.
            findings: Takes the violations.

        Returns:
            The tensor, [rows]; None when a value breaks a rule.
        """
        if datatype == "BYTES":
            values = self._texts.repaired(values)
        nulls = None in values
        if nulls and not self.spec.nullable:
            for row in [row for row, value in enumerate(values) if value is None]:
                findings.add(self.name, self._required, row, None)
            return None
        read = self._read([value for value in values if value is not None] if nulls else values, datatype)
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
            remaining, null = iter(read), _NULLS[self.spec.tensor]
            read = [null if value is None else next(remaining) for value in values]
        return np.array(read, dtype=self._dtype)

    def _compile_readers(self) -> dict[str, Callable[[Any], Any]]:
        """Return how values are read that do not come as JSON's own kind, by their datatype on the wire."""
        if self._temporal:
            try:
                return dict(instant_readers(self.spec))
            except ZoneInfoNotFoundError as error:
                raise UnservableError(f"input {self.name!r}: this machine has no time zone {self.spec.zone}") from error
        reader = number_reader(self.spec)
        return {} if reader is None else {"BYTES": reader}

    def _compile_extract(self) -> Callable[[str], str] | None:
        if self.spec.extract is None:
            return None
        try:
            search = re.compile(self.spec.extract, re.ASCII).search
        except re.error as error:
            raise UnservableError(f"input {self.name!r}: cannot use {self.spec.extract!r:.200}: {error}") from error
        # The empty string is null's form inside the graph.
        return lambda text: (found.group(1) or "") if (found := search(text)) is not None else ""

    def _compile(self) -> tuple[Check, ...]:
        # A date's format says how it is written, and reading it decides.
        rules = [rule for rule in self.spec.rules if not (self._temporal and rule.kind == "format")]
        # A pattern may be slow on long text, so the lengths are checked first.
        rules.sort(key=lambda rule: rule.kind == "pattern")
        return tuple(check for rule in rules if (check := compile_rule(rule, self._constant)) is not None)

    def _constant(self, value: Any) -> Any:
        """Read a value written in the contract as this column's values are compared."""
        if not self._temporal:
            return value
        return constant_reader(self.spec)(value)

    def _read(self, present: list[Any], datatype: str) -> list[Any] | None:
        """Return the values as they are compared (temporal ones in microseconds), or None if one has a wrong type."""
        kind = self.spec.logical_type
        reader = self._readers.get(datatype)
        if reader is not None:
            try:
                present = [reader(value) for value in present]
            except (TypeError, ValueError):
                return None
            if self._temporal:
                return present
        types = set(map(type, present))
        if not types <= _TYPES[kind] or (present and not self._in_range(present)):
            return None
        # The contract compares numbers as float64, whole ones too.
        return list(map(float, present)) if kind == "number" and int in types else present

    def _in_range(self, present: list[Any]) -> bool:
        # The parser gives integers down to -2**63 but up to 2**64 - 1, and floats only if they are finite.
        if self.spec.logical_type == "integer":
            return bool(max(present) <= _LARGEST_INT64)
        if self._dtype is np.float32:
            return bool(max(present) <= _LARGEST_FP32 and min(present) >= -_LARGEST_FP32)
        return True

    def _find_unreadable(self, values: list[Any], datatype: str, findings: Findings) -> None:
        for row, value in enumerate(values):
            if value is not None and self._read([value], datatype) is None:
                findings.add(self.name, self._type, row, value)

    def _find_broken(self, check: Check, values: list[Any], datatype: str, findings: Findings) -> None:
        for row, value in enumerate(values):
            read = None if value is None else self._read([value], datatype)
            if read and not check.holds(read[0]):
                findings.add(self.name, (check.rule, check.expected), row, value)


def _shown(value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= _SHOWN_CHARACTERS else value[:_SHOWN_CHARACTERS] + "..."
    if isinstance(value, list | dict):
        return orjson.dumps(value)[:_SHOWN_CHARACTERS].decode(errors="replace")
    return value
