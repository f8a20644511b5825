"""A contract in memory: the columns of one dataset and the rules that hold for it.

ODCS is the file format; this neutral form is what the rest of Headrace executes. It is compiled from the
file once (`data_contracts.loader.load_contract`), so no other code knows the standard's field names.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict

LogicalType = Literal["string", "integer", "number", "boolean", "date", "timestamp"]
RowRuleKind = Literal[
    "type",
    "required",
    "enum",
    "minimum",
    "maximum",
    "exclusive_minimum",
    "exclusive_maximum",
    "multiple_of",
    "pattern",
    "min_length",
    "max_length",
    "format",
]
Case = Literal["upper", "lower", "title"]
UnicodeForm = Literal["NFC", "NFD", "NFKC", "NFKD"]
Metric = Literal["nullValues", "missingValues", "invalidValues", "duplicateValues", "rowCount"]
Operator = Literal[
    "mustBe",
    "mustNotBe",
    "mustBeGreaterThan",
    "mustBeGreaterOrEqualTo",
    "mustBeLessThan",
    "mustBeLessOrEqualTo",
    "mustBeBetween",
    "mustNotBeBetween",
]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Repair(_Frozen):
    """How the texts of one column are put right before they are read (`data_contracts.repair`).

    Attributes:
        unicode: The normal form that texts are brought to.
        trim: Whether white space at both ends goes; only a string column may keep it.
        case: The case that texts are brought to, by Python's full mappings (an upper-case `ß` is `SS`).
        null_markers: Texts that mean null, in place of `data_contracts.repair.NULL_MARKERS`; the case of ASCII letters
            does not count. The empty text means null always.
        synonyms: What stands for what; keys are in the column's own form, replacements are no keys themselves.
        thousands_separator: The character between groups of three digits.
        decimal_separator: The character before the fraction, in place of the point.
        formats: How dates and timestamps are written, tried in order; see `data_contracts.repair.date_formats`.
    """

    unicode: UnicodeForm | None = None
    trim: bool = True
    case: Case | None = None
    null_markers: tuple[str, ...] | None = None
    synonyms: Mapping[str, str] = {}
    thousands_separator: str | None = None
    decimal_separator: str | None = None
    formats: tuple[str, ...] = ()


class Privacy(_Frozen):
    """What becomes of a column once its rules were checked and duplicates compared (`data_contracts.privacy`).

    `drop`: the column leaves. `extract`: only what the one group of `pattern` (RE2) finds stays, null where it finds
    nothing.
    """

    action: Literal["drop", "extract"]
    pattern: str | None = None


class Column(_Frozen):
    """One column: its name, type and place in the file.

    `physical_type` is the source's own word (for example `float64`); only `logical_type` decides how values
    are parsed. `classification` is the standard's privacy word (`public`, `restricted`, `confidential`).
    `repair`, `privacy` and `protected` come from `customProperties`, where the standard keeps what is not its own.
    `protected` marks a column between whose groups a model must be fair; it changes no value.
    """

    name: str
    logical_type: LogicalType
    physical_type: str | None = None
    required: bool = False
    unique: bool = False
    primary_key_position: int | None = None
    enum: tuple[Any, ...] | None = None
    classification: str | None = None
    description: str | None = None
    examples: tuple[Any, ...] = ()
    options: Mapping[str, Any] = {}
    repair: Repair = Repair()
    privacy: Privacy | None = None
    protected: bool = False
    line: int | None = None


class RowRule(_Frozen):
    """A rule that one row can break by itself; such a row is quarantined with the rule's id.

    `argument` is the bound, pattern, length, format name, or tuple of allowed values. A null breaks `required`
    alone; every other rule holds for null. `type` breaks when a raw value cannot be read as the logical type.
    """

    id: str
    column: str
    kind: RowRuleKind
    argument: Any = None
    line: int | None = None


class KeyRule(_Frozen):
    """Columns whose combined values must be unique (`unique`, `primaryKey`).

    Rows that share a key with a row of other content are quarantined, all of them: nothing says which is right.
    """

    id: str
    columns: tuple[str, ...]
    line: int | None = None


class TableRule(_Frozen):
    """A library metric of the whole dataset, compared with a bound.

    `columns` is empty for `rowCount`; `arguments` are the standard's own (`missingValues`, `validValues`, `pattern`).
    `unit` `percent` divides by the number of rows and multiplies by 100.
    """

    id: str
    metric: Metric
    columns: tuple[str, ...] = ()
    arguments: Mapping[str, Any] = {}
    unit: Literal["rows", "percent"] = "rows"
    operator: Operator
    bound: Any
    severity: Literal["error", "warning"] = "error"
    line: int | None = None


class ExpectationRule(_Frozen):
    """A Great Expectations expectation written into the contract (`engine: greatExpectations`)."""

    id: str
    type: str
    kwargs: Mapping[str, Any]
    severity: Literal["error", "warning"] = "error"
    line: int | None = None


class Contract(_Frozen):
    """What one dataset must be.

    `digest` is the SHA-256 of the file's meaning (its parsed content), so a comment does not change it.
    """

    name: str
    version: str
    path: str
    digest: str
    columns: tuple[Column, ...]
    row_rules: tuple[RowRule, ...] = ()
    key_rules: tuple[KeyRule, ...] = ()
    table_rules: tuple[TableRule, ...] = ()
    expectation_rules: tuple[ExpectationRule, ...] = ()

    @cached_property
    def by_name(self) -> Mapping[str, Column]:
        """The columns by their names, in their order."""
        return {column.name: column for column in self.columns}

    def column(self, name: str) -> Column:
        """Return the column of that name.

        Raises:
            KeyError: The contract has no such column.
        """
        return self.by_name[name]

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy, in which other columns may stand."""
        copied = super().model_copy(update=update, deep=deep)
        # pydantic copies what was remembered of the columns before.
        copied.__dict__.pop("by_name", None)
        return copied
