"""`serving.records.rules` against a plain oracle, and against the contract room's own checks of the same rules."""

from __future__ import annotations

import re
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts import formats as contract_formats
from data_contracts.contract import Column as ContractColumn
from data_contracts.contract import Contract, RowRule
from data_contracts.parsing import parse_table
from data_contracts.row_rules import broken_rules
from serving.bundle.manifest import InputRule, InputSpec
from serving.records import formats
from serving.records.column import Column
from serving.records.findings import Findings
from serving.records.rules import UnservableError, compile_rule

TEXT_RULES = {
    "enum": ("a", "B6", "é"),
    "pattern": r"^[a-c]\w*$",
    "min_length": 2,
    "max_length": 4,
    "format": "hostname",
}
NUMBER_RULES = {
    "enum": (0, 1.5, 3),
    "minimum": -2,
    "maximum": 7.5,
    "exclusive_minimum": -3,
    "exclusive_maximum": 8,
    "multiple_of": 0.5,
    "format": "f32",
}
INTEGER_RULES = {
    "enum": (0, 1, 2, 3, 2**53 + 1),
    "minimum": -2,
    "maximum": 2**53,
    "exclusive_minimum": -3,
    "exclusive_maximum": 2**60,
    "multiple_of": 3,
    "format": "i8",
}
TEXTS = st.none() | st.text("abcB6é-. ", max_size=6)
NUMBERS = st.none() | st.sampled_from([-3, -2, 0, 0.3, 1.5, 7.5, 8, 1e308, -1e308, 5e-324]) | st.floats(-9, 9)
INTEGERS = st.none() | st.integers(-5, 10) | st.integers(-(2**63), 2**63 - 1)


KINDS: list[Any] = [
    ("string", TEXT_RULES, TEXTS, pa.string()),
    ("number", NUMBER_RULES, NUMBERS, pa.float64()),
    ("integer", INTEGER_RULES, INTEGERS, pa.int64()),
]


def spec(logical_type: str, rules: dict[str, Any], *, nullable: bool = True) -> InputSpec:
    kinds: dict[str, tuple[Any, Any]] = {"string": ("BYTES", "string"), "number": ("FP64", "float64")}
    datatype, tensor = kinds.get(logical_type, ("INT64", "float64" if nullable else "int64"))
    listed = tuple(InputRule(id=f"x.{kind}", kind=kind, argument=argument) for kind, argument in rules.items())
    return InputSpec(
        name="x",
        datatype=datatype,
        tensor=tensor,
        logical_type=logical_type,
        nullable=nullable,
        rules=listed,
    )


def found(column: Column, values: list[Any]) -> set[tuple[str, int]]:
    findings = Findings()
    tensor = column.tensor(values, column.spec.datatype, findings)
    assert (tensor is None) == bool(findings.count)
    return {(violation["rule"], violation["row"]) for violation in findings.first}


def keeps(kind: str, argument: Any, value: Any) -> bool:
    """Say in the plainest way whether one value keeps a rule."""
    match kind:
        case "enum":
            return value in argument
        case "minimum":
            return bool(value >= argument)
        case "maximum":
            return bool(value <= argument)
        case "exclusive_minimum":
            return bool(value > argument)
        case "exclusive_maximum":
            return bool(value < argument)
        case "min_length":
            return bool(len(value) >= argument)
        case "max_length":
            return bool(len(value) <= argument)
        case "pattern":
            return re.search(argument, value, re.ASCII) is not None
        case "multiple_of":
            return bool(value % argument == 0)
        case _:
            raise AssertionError(kind)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_rules_agree_with_a_plain_oracle(data: st.DataObject) -> None:
    logical_type, rules, values = data.draw(
        st.sampled_from(
            [
                ("string", TEXT_RULES, st.none() | st.text("abcB6é-.", min_size=1, max_size=6)),
                ("integer", INTEGER_RULES, INTEGERS),
                ("number", NUMBER_RULES, NUMBERS),
            ]
        )
    )
    kind = data.draw(st.sampled_from([kind for kind in rules if kind not in {"format", "multiple_of"}]))
    drawn = data.draw(st.lists(values, min_size=1, max_size=5))
    column = Column(spec(logical_type, {kind: rules[kind]}))
    expected = {(f"x.{kind}", row) for row, v in enumerate(drawn) if v is not None and not keeps(kind, rules[kind], v)}
    assert found(column, drawn) == expected


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_rules_agree_with_the_contracts_own_checks(data: st.DataObject) -> None:
    arrow: Any
    logical_type, rules, values, arrow = data.draw(st.sampled_from(KINDS))
    kind = data.draw(st.sampled_from(sorted(rules)))
    drawn = data.draw(st.lists(values, min_size=1, max_size=5))
    rule = RowRule(id=f"x.{kind}", column="x", kind=kind, argument=rules[kind])
    enum = rules[kind] if kind == "enum" else None
    contract = Contract(
        name="c",
        version="1",
        path="c",
        digest="d",
        columns=(ContractColumn(name="x", logical_type=logical_type, enum=enum),),
        row_rules=(rule,),
    )
    first = broken_rules(parse_table(pa.table({"x": pa.array(drawn, arrow)}), contract), contract).first
    expected = {(f"x.{kind}", row) for row in range(len(drawn)) if first[row] == 0}
    assert found(Column(spec(logical_type, {kind: rules[kind]})), drawn) == expected


def test_the_first_broken_rule_of_a_column_is_told() -> None:
    column = Column(spec("string", {"pattern": "^a", "max_length": 3, "enum": ("a", "b")}))
    assert found(column, ["bbbb", "a"]) == {("x.max_length", 0)}
    assert found(column, ["b", "a", "c"]) == {("x.enum", 2)}


def test_both_rooms_know_the_same_formats() -> None:
    assert formats.STRING_FORMATS == contract_formats.STRING_FORMATS
    assert formats.DOCUMENTING_FORMATS == contract_formats.DOCUMENTING_FORMATS
    for name, bounds in formats.NUMBER_FORMATS.items():
        assert contract_formats.number_range(name) == bounds


@pytest.mark.parametrize(
    ("kind", "argument"),
    [
        ("median", 1),
        ("pattern", "("),
        ("pattern", "(?=a)b"),
        ("min_length", float("inf")),
        ("pattern", None),
        ("enum", 5),
        ("min_length", "two"),
        ("multiple_of", 0),
        ("format", "zip"),
    ],
)
def test_a_rule_that_cannot_be_executed_is_refused(kind: str, argument: Any) -> None:
    with pytest.raises(UnservableError, match="rule 'r'"):
        compile_rule(InputRule(id="r", kind=kind, argument=argument), lambda value: value)


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("email", "a@b.org", "a@b"),
        ("uuid", "123e4567-e89b-12d3-a456-426614174000", "123e4567"),
        ("uri", "https://example.org/x", "no uri"),
        ("ipv4", "10.0.0.1", "10.0.0.256"),
        ("ipv6", "::1", ":::1"),
        ("date-time", "2013-05-01T10:00:00Z", "2013-05-01"),
        ("byte", "YWJj", "YWJ"),
        ("password", "anything", None),
    ],
)
def test_formats(name: str, good: str, bad: str | None) -> None:
    column = Column(spec("string", {"format": name}))
    assert found(column, [good]) == set()
    if bad is not None:
        assert found(column, [good, bad]) == {("x.format", 1)}
