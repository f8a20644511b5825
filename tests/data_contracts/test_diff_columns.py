from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_contracts import contract as models
from data_contracts.contract import Column, Privacy, Repair
from data_contracts.diff import diff
from data_contracts.diff_change import CONSEQUENCES, severity
from data_contracts.diff_columns import COLUMN_IDENTITY, rule_kind
from data_contracts.diff_rules import rule_change
from tests.data_contracts.changes import contract_with, only_change

OTHER: dict[str, Any] = {
    "logical_type": "number",
    "physical_type": "text",
    "required": True,
    "unique": True,
    "primary_key_position": 1,
    "enum": ("x",),
    "classification": "restricted",
    "description": "Something.",
    "examples": ("x",),
    "options": {"minLength": 2},
    "repair": Repair(case="upper"),
    "privacy": Privacy(action="drop"),
    "protected": True,
}


@pytest.mark.parametrize("field", sorted(set(Column.model_fields) - COLUMN_IDENTITY))
def test_each_field_of_a_column_is_noticed_both_ways(field):
    plain = Column(name="a", logical_type="string")
    other = plain.model_copy(update={field: OTHER[field]})
    (forth,), (back,) = (
        diff(contract_with(plain), contract_with(other)),
        diff(contract_with(other), contract_with(plain)),
    )
    assert (forth.path, forth.before, forth.after) == (back.path, back.after, back.before)
    assert forth.path.startswith(f"columns.a.{field}")
    assert {forth.kind, back.kind} in (
        {"changed"}, {"added", "removed"}, {"tightened", "loosened"}
    )  # fmt: skip


def test_a_field_that_nobody_knows_means_refit(monkeypatch):
    monkeypatch.setattr("data_contracts.diff_columns.COLUMN_FIELDS", {})
    assert only_change({}, {"description": "x"}).consequence == "refit"
    monkeypatch.undo()
    monkeypatch.setattr("data_contracts.diff_repairs.REPAIR_FIELDS", {})
    assert only_change({"repair": Repair(decimal_separator=",")}, {}, "number").consequence == "refit"


@pytest.mark.parametrize(
    ("logical_type", "option", "loose", "tight"),
    [
        ("integer", "minimum", 1, 2),
        ("number", "exclusiveMinimum", -1.5, 0),
        ("date", "minimum", "2013-01-01", "2013-12-31"),
        ("timestamp", "maximum", "2013-01-02T00:00:00Z", "2013-01-02T00:30:00+01:00"),
        ("integer", "maximum", 100, 99),
        ("integer", "multipleOf", 5, 10),
        ("string", "minLength", 2, 3),
        ("string", "maxLength", 30, 20),
        ("integer", "format", "i32", "i16"),
        ("string", "format", "binary", "email"),
    ],
)
def test_a_tightened_rule_breaks_clients_and_a_loosened_one_does_not(logical_type, option, loose, tight):
    steps = [{}, {"options": {option: loose}}, {"options": {option: tight}}]
    tightened = only_change(steps[1], steps[2], logical_type)
    assert (tightened.kind, tightened.consequence) == ("tightened", "breaks-clients")
    assert tightened.path == f"columns.a.options.{option}"
    loosened = only_change(steps[2], steps[1], logical_type)
    assert (loosened.kind, loosened.consequence) == ("loosened", "revalidate")
    assert only_change(steps[0], steps[2], logical_type).consequence == "breaks-clients"
    assert only_change(steps[2], steps[0], logical_type).consequence == "revalidate"


@pytest.mark.parametrize(
    ("logical_type", "before", "after"),
    [
        ("string", {"pattern": "^a"}, {"pattern": "^b"}),
        ("integer", {"multipleOf": 4}, {"multipleOf": 6}),
        ("string", {"format": "email"}, {"format": "uuid"}),
        ("integer", {"format": "i16"}, {"format": "u16"}),
    ],
)
def test_rules_that_cannot_be_compared_may_break_clients(logical_type, before, after):
    change = only_change({"options": before}, {"options": after}, logical_type)
    assert (change.kind, change.consequence) == ("changed", "breaks-clients")


def test_values_of_an_enum():
    assert only_change({"enum": ("x", "y")}, {"enum": ("x", "y", "z")}).consequence == "refit"
    assert only_change({"enum": ("x", "y")}, {"enum": ("x",)}).consequence == "breaks-clients"
    assert only_change({"enum": ("x", "y")}, {"enum": ("x", "z")}).kind == "changed"
    assert only_change({"enum": ("x", "y")}, {"enum": ("y", "x")}).consequence == "nothing"
    assert only_change({"enum": ("x",)}, {}).consequence == "refit"


def test_null_is_refused_or_comes_in():
    assert only_change({}, {"required": True}, "integer").consequence == "breaks-clients"
    opened = only_change({"required": True}, {}, "integer")
    assert (opened.kind, opened.consequence) == ("loosened", "refit")
    assert "float64 tensor" in opened.why
    assert "tensor" not in only_change({"required": True}, {}, "string").why


def test_types():
    def change(old, new):
        (found,) = diff(*(contract_with(Column(name="a", logical_type=kind)) for kind in (old, new)))
        return found.consequence

    kinds = get_args(models.LogicalType)
    assert {change(old, new) for old in kinds for new in kinds if old != new} == {"breaks-clients", "retrain"}
    assert change("date", "timestamp") == "retrain"
    assert change("timestamp", "date") == "breaks-clients"


def test_words_that_only_describe():
    for field in ("description", "physical_type"):
        assert only_change({}, {field: "x"}).consequence == "nothing"
    assert only_change({"classification": "public"}, {"classification": "internal"}).consequence == "nothing"
    assert "hide the values" in only_change({"classification": "public"}, {"classification": "Restricted"}).why
    assert only_change({}, {"options": {"format": "password"}}).consequence == "nothing"
    (change,) = diff(contract_with(), contract_with().model_copy(update={"version": "2"}))
    assert (change.path, change.consequence) == ("version", "nothing")


@pytest.mark.parametrize(
    ("before", "after", "fields", "consequence"),
    [
        ({}, {"case": "upper"}, {"enum": ("X",)}, "refit"),
        ({"case": "upper"}, {}, {"enum": ("X",)}, "breaks-clients"),
        ({"case": "upper"}, {}, {}, "refit"),
        ({"trim": False}, {}, {"enum": ("X",)}, "refit"),
        ({}, {"trim": False}, {"options": {"pattern": "^x"}}, "breaks-clients"),
        ({"unicode": "NFC"}, {"unicode": "NFKC"}, {}, "refit"),
        ({"null_markers": ("-",)}, {"null_markers": ("-", "?")}, {}, "refit"),
        ({"null_markers": ("-",)}, {"null_markers": ("-", "?")}, {"required": True}, "breaks-clients"),
        ({"null_markers": ("-", "?")}, {"null_markers": ("-",)}, {"options": {"maxLength": 3}}, "breaks-clients"),
        ({}, {"null_markers": ("-",)}, {}, "refit"),
        ({"synonyms": {"u": "x"}}, {"synonyms": {"u": "x", "v": "x"}}, {"enum": ("x",)}, "refit"),
        ({"synonyms": {"u": "x", "v": "x"}}, {"synonyms": {"u": "x"}}, {"enum": ("x",)}, "breaks-clients"),
    ],
)
def test_repairs_of_texts(before, after, fields, consequence):
    change = only_change({"repair": Repair(**before), **fields}, {"repair": Repair(**after), **fields})
    assert change.consequence == consequence
    assert change.path.startswith("columns.a.repair.")


def test_repairs_of_numbers_and_dates():
    comma, point = Repair(decimal_separator=","), Repair()
    assert only_change({"repair": point}, {"repair": comma}, "number").consequence == "refit"
    assert only_change({"repair": comma}, {"repair": point}, "number").consequence == "breaks-clients"
    one, two = Repair(formats=("dd.MM.yyyy",)), Repair(formats=("dd.MM.yyyy", "dd/MM/yyyy"))
    turned = Repair(formats=("dd/MM/yyyy", "dd.MM.yyyy"))
    assert only_change({"repair": one}, {"repair": two}, "date").consequence == "revalidate"
    assert only_change({"repair": two}, {"repair": one}, "date").consequence == "breaks-clients"
    assert only_change({"repair": one}, {"repair": turned}, "date").consequence == "refit"
    options = [{"options": {"format": "dd.MM.yyyy"}}, {"options": {"format": "MM/dd/yyyy"}}]
    assert only_change({}, options[0], "date").consequence == "revalidate"
    assert only_change(*options, "date").consequence == "breaks-clients"
    assert only_change({}, {"options": {"defaultTimezone": "Europe/Berlin"}}, "timestamp").consequence == "refit"


def test_privacy():
    drop, part = {"privacy": Privacy(action="drop")}, {"privacy": Privacy(action="extract", pattern="@(.+)")}
    assert only_change({}, drop).consequence == "breaks-clients"
    assert only_change(drop, {}).consequence == "retrain"
    assert only_change({}, part).consequence == "refit"


def test_protection_is_for_the_next_evaluation_alone():
    marked, bare = only_change({}, {"protected": True}), only_change({"protected": True}, {})
    assert (marked.consequence, marked.kind) == ("nothing", "tightened")
    assert (bare.consequence, bare.kind) == ("nothing", "loosened")


bounds = st.none() | st.integers(-5, 5)


@given(bounds, bounds, st.sampled_from(["minimum", "exclusive_maximum", "min_length", "max_length"]))
def test_what_is_tighter_one_way_is_looser_the_other(first, second, rule):
    if first == second:
        return
    pair = (Column(name="a", logical_type="integer"),) * 2
    forth, back = rule_change("p", rule, first, second, pair), rule_change("p", rule, second, first, pair)
    assert {forth.kind, back.kind} == {"tightened", "loosened"}
    assert severity(forth.consequence if forth.kind == "tightened" else back.consequence) == len(CONSEQUENCES) - 1


def test_the_options_of_the_standard_are_rules_under_our_names():
    assert [rule_kind(option) for option in ("minimum", "exclusiveMaximum", "minLength", "multipleOf")] == [
        "minimum", "exclusive_maximum", "min_length", "multiple_of"
    ]  # fmt: skip
