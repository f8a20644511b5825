from __future__ import annotations

from pathlib import Path

import pytest

from data_contracts.contract import KeyRule
from data_contracts.errors import ContractError
from data_contracts.loader import load_contract
from tests.data_contracts.conftest import HEAD, HERE


def test_every_feature_compiles(orders):
    assert (orders.name, orders.version) == ("orders", "1.0.0")
    assert [column.name for column in orders.columns][:3] == ["order_id", "shop", "number"]
    assert {rule.kind for rule in orders.row_rules} == {
        "type", "required", "enum", "minimum", "maximum", "exclusive_minimum", "exclusive_maximum", "multiple_of",
        "pattern", "min_length", "max_length", "format",
    }  # fmt: skip
    assert {rule.metric for rule in orders.table_rules} == {
        "rowCount", "nullValues", "missingValues", "invalidValues", "duplicateValues",
    }  # fmt: skip
    assert len(orders.expectation_rules) == 5


def test_rules_point_at_their_line(orders):
    text = (HERE / "everything.odcs.yaml").read_text(encoding="utf-8").splitlines()
    for rule in orders.row_rules:
        word = rule.kind.split("_")[0]
        near = text[rule.line - 1] + text[rule.line - 2]
        assert word in near or rule.kind in {"type", "required"}, (rule, near)
    assert "rows_not_three" in text[next(r for r in orders.table_rules if r.id == "rows_not_three").line - 1]


def test_keys_come_from_primary_key_and_unique(orders):
    assert [(rule.id, rule.columns) for rule in orders.key_rules] == [
        ("order_id.primary_key", ("order_id",)),
        ("code.unique", ("code",)),
    ]
    assert orders.column("order_id").required


def test_a_compound_key_follows_its_positions(make_contract):
    contract = make_contract("""
- {name: a, logicalType: string, primaryKey: true, primaryKeyPosition: 2}
- {name: b, logicalType: string, primaryKey: true, primaryKeyPosition: 1, unique: true}
""")
    assert contract.key_rules[0] == KeyRule(id="b+a.primary_key", columns=("b", "a"), line=contract.column("b").line)
    assert contract.key_rules[1].id == "b.unique"


def test_digest_is_of_the_meaning(tmp_path, write_contract):
    path = write_contract("- {name: a, logicalType: string}")
    digest = load_contract(path).digest
    text = path.read_text(encoding="utf-8")
    path.write_text("# a comment\n" + text, encoding="utf-8")
    assert load_contract(path).digest == digest
    path.write_text(text.replace("logicalType: string", "logicalType: integer"), encoding="utf-8")
    assert load_contract(path).digest != digest


def test_a_missing_file_and_broken_yaml_are_named(tmp_path: Path):
    with pytest.raises(ContractError, match=r"nowhere\.odcs\.yaml: no such file"):
        load_contract(tmp_path / "nowhere.odcs.yaml")
    path = tmp_path / "broken.odcs.yaml"
    path.write_text("kind: [DataContract\nid: x\n", encoding="utf-8")
    with pytest.raises(ContractError, match=r"broken.odcs.yaml:\d+: not valid YAML"):
        load_contract(path)


def test_one_table_only(tmp_path: Path, write_contract):
    path = tmp_path / "two.odcs.yaml"
    table = "    properties: [{name: a, logicalType: string}]\n"
    path.write_text(HEAD + table + "  - name: other\n" + table, encoding="utf-8")
    with pytest.raises(ContractError, match=r"two.odcs.yaml:9: expected one schema object, got 2 \(small, other\)"):
        load_contract(path)
    path.write_text(HEAD, encoding="utf-8")
    with pytest.raises(ContractError, match="has no properties"):
        load_contract(path)


def test_a_column_described_twice_is_an_error(make_contract):
    with pytest.raises(ContractError, match=r":10: the column a is described twice"):
        make_contract("- {name: a, logicalType: string}\n- {name: a, logicalType: integer}")
