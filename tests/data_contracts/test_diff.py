from typing import Any

import pytest
from pydantic import BaseModel

from data_contracts import contract as models
from data_contracts.contract import Column, Contract, ExpectationRule, KeyRule, Privacy, Repair, RowRule, TableRule
from data_contracts.diff import CONTRACT_IDENTITY, CONTRACT_PARTS, CONTRACT_WORDS, Use, diff, worst
from data_contracts.diff_change import CONSEQUENCES, MEANINGS
from data_contracts.diff_columns import COLUMN_FIELDS, COLUMN_IDENTITY
from data_contracts.diff_repairs import REPAIR_FIELDS
from data_contracts.errors import ContractError
from data_contracts.loader import load_contract
from tests.data_contracts.changes import contract_with, only_change

PLAIN = "- {name: a, logicalType: integer}\n- {name: b, logicalType: string}"


def test_a_contract_does_not_differ_from_itself(orders, make_contract):
    assert diff(orders, orders) == ()
    moved = orders.model_copy(update={"path": "elsewhere.yaml", "digest": "1" * 64})
    assert diff(orders, moved) == ()
    first = make_contract(PLAIN)
    assert diff(first, make_contract("\n# A comment moves every line.\n" + PLAIN)) == ()
    assert worst(()) == "nothing"


def test_every_field_of_every_model_is_classified(orders):
    """A new field fails here until somebody has said what follows when it changes."""
    assert set(Contract.model_fields) == CONTRACT_IDENTITY | CONTRACT_PARTS | CONTRACT_WORDS
    assert set(Column.model_fields) == COLUMN_IDENTITY | set(COLUMN_FIELDS)
    assert set(Repair.model_fields) == set(REPAIR_FIELDS)
    assert set(Privacy.model_fields) == {"action", "pattern"}
    assert set(RowRule.model_fields) == {"id", "column", "kind", "argument", "line"}
    assert set(KeyRule.model_fields) == {"id", "columns", "line"}
    # Table rules and expectations are compared by whatever fields they have: each of them is judged on the whole data.
    known = {Contract, Column, Repair, Privacy, RowRule, KeyRule, TableRule, ExpectationRule}
    found = {each for each in vars(models).values() if isinstance(each, type) and issubclass(each, BaseModel)}
    assert {each for each in found if each.__module__ == models.__name__ and not each.__name__.startswith("_")} == known
    assert set(MEANINGS) == set(CONSEQUENCES)


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


def test_columns_come_and_go(make_contract):
    old, new = make_contract(PLAIN), make_contract(PLAIN + "\n- {name: c, logicalType: date}")
    (added,), (removed,) = diff(old, new), diff(new, old)
    assert (added.path, added.kind, added.consequence) == ("columns.c", "added", "retrain")
    assert (removed.kind, removed.consequence) == ("removed", "breaks-clients")
    assert added.after == removed.before == {"name": "c", "logical_type": "date"}


# The second is in the same place in the file, though its name is quite another.
@pytest.mark.parametrize(("old", "new"), [("temp", "temperature"), ("temp", "hot")])
def test_a_column_under_another_name(make_contract, old, new):
    first, second = (
        make_contract(f"{PLAIN}\n- {{name: {name}, logicalType: number, required: true}}") for name in (old, new)
    )
    (change,) = diff(first, second)
    assert (change.kind, change.before, change.after, change.consequence) == ("renamed", old, new, "breaks-clients")


def test_two_columns_of_another_shape_are_not_one(make_contract):
    first, second = (make_contract(f"{PLAIN}\n- {{name: temp, logicalType: {kind}}}") for kind in ("number", "date"))
    second = second.model_copy(
        update={"columns": (*second.columns[:2], second.columns[2].model_copy(update={"name": "temperature"}))}
    )
    assert sorted(change.kind for change in diff(first, second)) == ["added", "removed"]


def test_the_order_of_the_columns(make_contract):
    turned = "\n".join(reversed(PLAIN.splitlines()))
    (change,) = diff(make_contract(PLAIN), make_contract(turned))
    assert (change.kind, change.consequence, change.after) == ("reordered", "retrain", ["b", "a"])


def test_keys(make_contract):
    keyed = PLAIN.replace("integer}", "integer, primaryKey: true}")
    changes = {change.path: change for change in diff(make_contract(PLAIN), make_contract(keyed))}
    assert changes["columns.a.primary_key_position"].consequence == "retrain"
    assert changes["columns.a.required"].consequence == "breaks-clients"
    assert (changes["key_rules.a"].kind, changes["key_rules.a"].consequence) == ("tightened", "revalidate")
    back = diff(make_contract(keyed), make_contract(PLAIN))
    assert {change.path: change.kind for change in back}["key_rules.a"] == "loosened"


def test_rules_of_the_whole_table(make_contract):
    rule = "- {id: some, metric: rowCount, mustBeGreaterThan: 0}"
    old, new = make_contract(PLAIN, rule), make_contract(PLAIN, rule.replace(": 0", ": 9, severity: warning"))
    found = {change.path: (change.kind, change.consequence) for change in diff(old, new)}
    assert found == {
        "table_rules.some.bound": ("changed", "revalidate"),
        "table_rules.some.severity": ("loosened", "revalidate"),
    }
    (gone,) = diff(old, make_contract(PLAIN))
    assert (gone.path, gone.kind, gone.consequence) == ("table_rules.some", "removed", "revalidate")
    (called,) = diff(old, make_contract(PLAIN, rule.replace("some", "any")))
    assert (called.path, called.consequence) == ("table_rules.some.id", "nothing")


def test_expectations(make_contract):
    rule = (
        "- {name: mean, type: custom, engine: greatExpectations, implementation: "
        "{type: expect_column_mean_to_be_between, kwargs: {column: a, max_value: 5}}}"
    )
    old, new = make_contract(PLAIN, rule), make_contract(PLAIN, rule.replace("5", "6"))
    (change,) = diff(old, new)
    assert (change.path, change.consequence) == ("expectation_rules.mean.kwargs", "revalidate")


def test_row_rules_that_no_column_explains():
    old = contract_with(Column(name="a", logical_type="integer"))
    rule = RowRule(id="a.minimum", column="a", kind="minimum", argument=3)
    (change,) = diff(old, old.model_copy(update={"row_rules": (rule,)}))
    assert (change.path, change.kind, change.before, change.after) == ("row_rules.a.minimum", "tightened", None, 3)


def test_what_the_pipeline_makes_of_a_column():
    use = Use(targets=("t",), exclude=("a",))
    tighter = {"options": {"minLength": 1}}, {"options": {"minLength": 2}}
    assert only_change(*tighter, use=use).consequence == "revalidate"
    assert only_change(*tighter, use=Use(targets=("t",))).consequence == "breaks-clients"
    assert only_change(*tighter, use=Use(targets=("t",), include=("b",))).consequence == "revalidate"
    assert only_change({"enum": ("x",)}, {"enum": ("x", "y")}, use=Use(targets=("a",))).consequence == "retrain"
    assert only_change({}, {"description": "x"}, use=Use(targets=("a",))).consequence == "nothing"
    assert only_change(*reversed(tighter), use=Use(targets=("a",))).consequence == "revalidate"
    added = contract_with(), contract_with(Column(name="a", logical_type="string"))
    assert diff(*added, Use(targets=("t",)))[0].consequence == "breaks-clients"
    assert diff(*added, use)[0].consequence == "revalidate"
    assert only_change({}, {"primary_key_position": 1}, use=use).consequence == "retrain"


def test_the_dearest_comes_first(make_contract):
    changed = PLAIN.replace("a, logicalType: integer", "a, logicalType: integer, description: x, required: true")
    changes = diff(make_contract(PLAIN), make_contract(changed + "\n- {name: c, logicalType: date}"))
    assert [change.consequence for change in changes] == ["breaks-clients", "retrain", "nothing"]
    assert worst(changes) == "breaks-clients"


def test_a_wrong_file_says_where(write_contract, tmp_path):
    with pytest.raises(ContractError, match=r"small.odcs.yaml:9: .*logicalType"):
        load_contract(write_contract("- {name: a}"))
    with pytest.raises(ContractError, match="no such file"):
        load_contract(tmp_path / "none.yaml")
