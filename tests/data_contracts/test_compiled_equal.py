"""The rules that a contract compiles to, judged from merged partitions and by the library alone over the whole."""

from __future__ import annotations

import pandas as pd
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from data_contracts import expectations
from data_contracts.contract import Column, Contract, KeyRule, RowRule, TableRule
from data_contracts.frames import expectation_frame
from data_contracts.parsing import parse_table
from tests.data_contracts.own_engine import by_rule, judged_whole, measured, orders, raw_tables, same, whole_frame

__all__ = ["whole_frame"]

COLUMNS = {"s": "string", "n": "number", "i": "integer", "b": "boolean", "d": "date", "t": "timestamp"}
NUMBERS = {
    "minimum": [-1, 0, 1],
    "maximum": [1, 2, 9],
    "exclusive_minimum": [-1, 0, 1],
    "exclusive_maximum": [1, 2, 9],
}
INSTANTS = {kind: ["2013-01-01", "2013-01-02", "2013-01-31"] for kind in NUMBERS}
# What can be asked of one value, by logical type: the rule's kind and its possible arguments.
KINDS = {
    "string": {
        "enum": [("a",), ("a", "b", "é", "c1", "bb")],
        "pattern": ["^[a-c]", "[0-9]$"],
        "min_length": [1, 2],
        "max_length": [1, 10],
        "format": ["date", "email"],
    },
    "number": NUMBERS | {"multiple_of": [0.5, 2], "format": ["f32", "u8"], "enum": [(0.0, 0.5), (1.0,)]},
    "integer": NUMBERS | {"multiple_of": [2, 3], "format": ["i8", "u8"], "enum": [(0, 1), (-2, 0, 1, 2, 3, 9)]},
    "boolean": {"enum": [(True,), (True, False)]},
    "date": INSTANTS,
    "timestamp": INSTANTS,
}
BOUNDS = {
    "mustBe": 0, "mustNotBe": 0, "mustBeGreaterThan": 3, "mustBeGreaterOrEqualTo": 3, "mustBeLessThan": 9,
    "mustBeLessOrEqualTo": 9, "mustBeBetween": (2, 12), "mustNotBeBetween": (2, 12),
}  # fmt: skip
METRICS = {
    "rowCount": [((), {})],
    "nullValues": [(("s",), {}), (("n", "t"), {})],
    "missingValues": [(("s",), {"missingValues": [None, "a"]}), (("i",), {"missingValues": [0, 9]})],
    "invalidValues": [(("s",), {"validValues": ["a", "b"]}), (("s",), {"pattern": "^b"})],
    "duplicateValues": [(("s",), {}), (("s", "b"), {})],
}


@st.composite
def row_rules(draw, name, kind):
    chosen = draw(st.lists(st.sampled_from(sorted(KINDS[kind])), max_size=2, unique=True))
    rules = [RowRule(id=f"{name}.type", column=name, kind="type")]
    if draw(st.booleans()):
        rules.append(RowRule(id=f"{name}.required", column=name, kind="required"))
    for each in chosen:
        argument = draw(st.sampled_from(KINDS[kind][each]))
        rules.append(RowRule(id=f"{name}.{each}", column=name, kind=each, argument=argument))
    return rules


@st.composite
def table_rules(draw):
    rules = []
    for number, metric in enumerate(draw(st.lists(st.sampled_from(sorted(METRICS)), max_size=3))):
        columns, arguments = draw(st.sampled_from(METRICS[metric]))
        operator = draw(st.sampled_from(sorted(BOUNDS)))
        unit = "rows" if metric == "rowCount" else draw(st.sampled_from(["rows", "percent"]))
        rules.append(
            TableRule(
                id=f"table.{number}",
                metric=metric,
                columns=columns,
                arguments=arguments,
                unit=unit,
                operator=operator,
                bound=BOUNDS[operator],
            )
        )
    return tuple(rules)


@st.composite
def cases(draw):
    columns = tuple(Column(name=name, logical_type=kind) for name, kind in COLUMNS.items())
    keys = draw(st.lists(st.sampled_from([("i",), ("s",), ("n", "i"), ("s", "t")]), max_size=2, unique=True))
    contract = Contract(
        name="c",
        version="1",
        path="c.yaml",
        digest="0",
        columns=columns,
        row_rules=tuple(rule for name, kind in COLUMNS.items() for rule in draw(row_rules(name, kind))),
        key_rules=tuple(KeyRule(id=f"key.{number}", columns=key) for number, key in enumerate(keys)),
        table_rules=draw(table_rules()),
    )
    return contract, draw(raw_tables(COLUMNS)), *draw(orders())


def duplicates_of(contract, frame):
    """Return what comparing all rows would give: rows that share a key, and rows beyond the first of each."""
    sharing = {
        rule.id: int(frame[list(rule.columns)].dropna().duplicated(keep=False).sum()) for rule in contract.key_rules
    }
    return sharing | {
        rule.id: int(frame[list(rule.columns)].dropna().duplicated().sum())
        for rule in contract.table_rules
        if rule.metric == "duplicateValues"
    }


def read_and_unread(parsed):
    """Return a frame of Python objects in which what cannot be read as its column's type stands as text."""
    columns = {}
    for name in parsed.table.column_names:
        bad = parsed.unreadable.get(name)
        bad = [False] * parsed.table.num_rows if bad is None else bad.to_pylist()
        values = parsed.table[name].to_pylist()
        mixed = ["?" if wrong else value for value, wrong in zip(values, bad, strict=True)]
        columns[name] = pd.Series(mixed, dtype=object)
    return pd.DataFrame(columns)


def _only(contract, kinds):
    return contract.model_copy(
        update={
            "row_rules": tuple(rule for rule in contract.row_rules if rule.kind in kinds),
            "key_rules": (),
            "table_rules": tuple(rule for rule in contract.table_rules if rule.metric in kinds),
        }
    )


def _without(contract, kinds):
    return contract.model_copy(
        update={
            "row_rules": tuple(rule for rule in contract.row_rules if rule.kind not in kinds),
            "table_rules": tuple(rule for rule in contract.table_rules if rule.metric not in kinds),
        }
    )


@settings(max_examples=20, phases=[Phase.explicit, Phase.generate])
@given(case=cases())
def test_compiled_rules_are_judged_as_the_library_judges_them(whole_frame, case):
    contract, raw, shares, order = case
    parsed = parse_table(raw, contract)
    frame = expectation_frame(parsed.table)
    measurements = measured(raw, contract, shares, order)
    found = by_rule(expectations.validation_result(contract, measurements, duplicates_of(contract, frame)))
    # What cannot be read as its column's type is there, though not as a value to compare: `type`, `required` and
    # `nullValues` are about that.
    about_presence = ("type", "required", "nullValues")
    own = judged_whole(whole_frame, _only(contract, about_presence), read_and_unread(parsed))
    own |= judged_whole(whole_frame, _without(contract, about_presence), frame)
    for rule, theirs in own.items():
        mine = found[rule]
        assert not theirs["exception_info"].get("raised_exception"), theirs
        assert mine["success"] == theirs["success"], (mine, theirs)
        for key, value in theirs["result"].items():
            if not key.startswith("partial_unexpected_"):
                assert same(mine["result"].get(key), value), (key, mine, theirs)
        listed = theirs["result"].get("partial_unexpected_list")
        if listed is not None and not rule.startswith("key."):
            shown = mine["result"]["partial_unexpected_list"]
            assert set(listed) | set(shown) == {None} or len(shown) == min(len(listed), 5), (mine, theirs)
