from __future__ import annotations

import pytest

from data_contracts.errors import ContractError
from data_contracts.loader import load_contract
from tests.data_contracts.conftest import HEAD


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ("- {name: a, logicalType: string, requird: true}", ":9: unknown key 'requird'; did you mean 'required'?"),
        ("- name: a\n  logicaltype: string", ":10: unknown key 'logicaltype'; did you mean 'logicalType'?"),
        ("- {logicalType: string}", ":9: schema.0.properties.0 lacks the key 'name'"),
        ("- {name: a, logicalType: strnig}", "expected one of string, date"),
        ("- {name: a, logicalType: integer, required: 'yes'}", "'yes' is not of type 'boolean'"),
        (
            "- name: a\n  logicalType: number\n  logicalTypeOptions: {minimun: 1}",
            ":11: unknown key 'minimun'; did you mean 'minimum'?",
        ),
        ("- {name: a, logicalType: string, enum: [x]}", "is not of type 'object'"),
        (
            "- name: a\n  logicalType: string\n  quality:\n  - metric: nullValues\n    mustBeLess: 3",
            ":13: unknown key 'mustBeLess'; did you mean 'mustBeLessThan'?",
        ),
        (
            "- name: a\n  logicalType: string\n  quality:\n  - {metric: nullValues, mustBe: 1, mustNotBe: 2}",
            "expected exactly one of mustBe, .*; got mustBe, mustNotBe",
        ),
        (
            "- name: a\n  logicalType: string\n  quality:\n  - {metric: nullValues}",
            "expected exactly one of mustBe, .*; got none",
        ),
        (
            "- name: a\n  logicalType: string\n  quality:\n  - {metric: nullValues, mustBeLessThan: few}",
            "mustBeLessThan: 'few' is not of type 'number'",
        ),
        ("- name: a\n  logicalType: string\n  quality:\n  - {metric: nulls, mustBe: 0}", "got 'nulls'"),
    ],
)
def test_errors_name_line_key_and_nearest(make_contract, properties, message):
    with pytest.raises(ContractError, match=message):
        make_contract(properties)


def test_a_valid_neighbour_is_not_called_unknown(make_contract):
    with pytest.raises(ContractError) as caught:
        make_contract("- {name: a, description: fine, logicalType: string, requird: true}")
    assert "description" not in str(caught.value)
    assert "'name'" not in str(caught.value)


def test_several_problems_are_shown_in_order_and_at_most_five(make_contract):
    with pytest.raises(ContractError) as caught:
        make_contract("\n".join(f"- {{name: c{n}, logicalType: string, requird: true}}" for n in range(7)))
    lines = str(caught.value).splitlines()
    assert [line.split(":")[1] for line in lines[:5]] == ["9", "10", "11", "12", "13"]
    assert lines[5] == "... and 2 more"
    assert lines[6].startswith("  do: ")


def test_version_two_is_another_standard(tmp_path):
    path = tmp_path / "old.odcs.yaml"
    path.write_text(HEAD.replace("v3.2.0", "v2.2.2"), encoding="utf-8")
    with pytest.raises(ContractError, match=r"old.odcs.yaml:1: apiVersion: expected v3.0.0 or later"):
        load_contract(path)


def test_an_unknown_key_at_the_root(tmp_path):
    path = tmp_path / "root.odcs.yaml"
    path.write_text(HEAD.replace("status", "statuss"), encoding="utf-8")
    with pytest.raises(ContractError, match=r":5: unknown key 'statuss'; did you mean 'status'"):
        load_contract(path)


def test_one_wrong_column_among_many_is_named_with_its_line(make_contract):
    columns = [f"- {{name: c{n}, logicalType: string}}" for n in range(300)]
    columns[123] = "- {name: c123, logicalType: string, requird: true}"
    with pytest.raises(ContractError, match=rf":{9 + 123}: unknown key 'requird'; did you mean 'required'\?"):
        make_contract("\n".join(columns))
