from __future__ import annotations

import pytest

from data_contracts.errors import ContractError


def column(options: str = "", kind: str = "string", more: str = "") -> str:
    text = f"- name: a\n  logicalType: {kind}\n"
    return text + (f"  logicalTypeOptions: {{{options}}}\n" if options else "") + more


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        (column(kind="object"), r":10: column a: logicalType: expected one of string, .*; got object"),
        (column(kind="array"), "got array"),
        ("- name: a", ":9: column a lacks the key 'logicalType'\n  do"),
        (column("pattern: '(?=x)y'"), r":11: pattern '\(\?=x\)y' cannot be executed"),
        (column(r"pattern: '(a)\1'"), "without look-around and back-references"),
        (column("format: emial"), ":11: column a: format 'emial' cannot be executed; did you mean 'email'"),
        (column("format: color"), "expected one of email, uuid"),
        (column("format: 'yyyy-QQ'", "date"), ":11: .*got 'QQ', expected one of yyyy"),
        (column("format: 'HH:mm'", "timestamp"), "expected a year, a month and a day"),
        (column("minimum: 'May'", "date"), "'May' is not a date"),
        (column("defaultTimezone: Mars/Olympus", "timestamp"), "no time zone 'Mars/Olympus'"),
        (column(kind="integer", more="  enum: [{value: 1}, {value: x}]"), ":11: column a: 'x' is not a integer"),
        (column(kind="string", more="  enum: [{value: 1}]"), "1 is not a string\n  do: quote text"),
        (column(more="  physicalName: b"), "physicalName 'b' differs from the name"),
        (column(more="  semanticType: measure"), "a measure is an aggregate"),
    ],
)
def test_what_cannot_be_executed_is_an_error_with_its_line(make_contract, properties, message):
    with pytest.raises(ContractError, match=message):
        make_contract(properties)


def test_a_date_format_and_a_word_for_readers_are_no_rules(make_contract):
    contract = make_contract(column("format: dd.MM.yyyy", "date") + column("format: password").replace(" a", " b"))
    assert [rule.id for rule in contract.row_rules] == ["a.type"]


def test_unquoted_dates_are_the_text_that_they_look_like(make_contract):
    contract = make_contract(column("minimum: 2013-01-01", "date"))
    assert contract.row_rules[-1].argument == "2013-01-01"


def test_an_unsatisfiable_rule_is_still_a_rule(make_contract):
    contract = make_contract(column("minimum: 5, maximum: 1", "number"))
    assert [rule.kind for rule in contract.row_rules] == ["type", "minimum", "maximum"]
