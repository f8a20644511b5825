from __future__ import annotations

import pytest

from data_contracts.contract import Privacy, Repair
from data_contracts.errors import ContractError


def column(*properties: str, kind: str = "string", more: str = "") -> str:
    listed = "".join(f"    - {{{text}}}\n" for text in properties)
    return f"- name: a\n  logicalType: {kind}\n{more}  customProperties:\n{listed}"


def said(name: str, value: str) -> str:
    return f"property: {name}, value: {value}"


def test_everything_that_can_be_said(make_contract):
    texts = column(
        said("unicode", "NFC"), said("case", "upper"), said("nullMarkers", "['-', '?']"),
        said("synonyms", "{n.y.: NY, ' newyork': NY}"), said("privacy", "drop"), said("owner", "the sales team"),
    )  # fmt: skip
    numbers = column(said("thousandsSeparator", "'.'"), said("decimalSeparator", "','"), kind="number")
    dates = column(said("formats", "[dd/MM/yyyy, ISO 8601]"), kind="date")
    bare = column(said("trim", "false"), said("privacy", "{extract: '(a)b'}"), said("protected", "true"))
    properties = "".join(
        text.replace("name: a", f"name: {name}")
        for name, text in zip("abcd", (texts, numbers, dates, bare), strict=True)
    )
    a, b, c, d = make_contract(properties).columns
    assert a.repair == Repair(
        unicode="NFC", case="upper", null_markers=("-", "?"), synonyms={"N.Y.": "NY", "NEWYORK": "NY"}
    )
    assert a.privacy == Privacy(action="drop")
    assert b.repair == Repair(thousands_separator=".", decimal_separator=",")
    assert c.repair == Repair(formats=("dd/MM/yyyy", "ISO 8601"))
    assert [each.protected for each in (a, b, c, d)] == [False, False, False, True]
    assert (d.repair, d.privacy) == (Repair(trim=False), Privacy(action="extract", pattern="(a)b"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (column(said("cases", "upper")), r":12: column a: unknown custom property 'cases'; did you mean 'case'\?"),
        (column(said("null_markers", "['-']")), "did you mean 'nullMarkers'"),
        (column(said("case", "upper"), said("case", "lower")), ":13: column a: case is said twice"),
        (column(said("case", "UPPER")), ":12: column a: case: expected one of upper, lower, title; got 'UPPER'"),
        (column(said("trim", "'no'")), "expected true or false, got 'no'"),
        (column(said("nullMarkers", "[1]")), r"expected a list of texts, got \[1\]; put each in quotes"),
        (column(said("protect", "true")), r":12: column a: unknown custom property 'protect'; did you mean 'protecte"),
        (column(said("protected", "'yes'")), "column a: protected: expected true or false, got 'yes'"),
        (column(said("synonyms", "{a: 1}")), "expected a mapping of texts to texts"),
        (column(said("privacy", "hide")), "expected drop, or {extract"),
        (column(said("case", "upper"), kind="integer"),
         ":12: column a: case serves string, not integer\n  do: leave it out; integer columns take nullMarkers, syn"),
        (column(said("formats", "[dd.MM.yyyy]")), "formats serves date and timestamp, not string"),
        (column(said("thousandsSeparator", "','"), kind="date"), "serves integer and number, not date"),
        (column(said("thousandsSeparator", "'1'"), kind="number"), "one character that is no letter, digit or sign"),
        (column(said("thousandsSeparator", "'.'"), kind="number"), "thousands and fractions are both separated by '.'"),
        (column(said("formats", "[dd.QQ.yyyy]"), kind="date"), ":12: column a: formats: .*got 'QQ', expected one of"),
        (column(said("formats", "[dd.MM.yyyy dd]"), kind="date"), "redefinition of group name 'day'"),
        (column(said("formats", "[d/M/yyyy]"), kind="date", more="  logicalTypeOptions: {format: yyyy}\n"),
         "the logicalTypeOptions say a format too"),
        (column(said("nullMarkers", "['-999']"), kind="number"), "'-999' is a number, and a number that comes as one"),
        (column(said("case", "lower"), said("synonyms", "{a: B}")), "'B' is not in the column's own form\n  do: write"),
        (column(said("synonyms", "{a: b, b: c}")), "'b' has a synonym itself, 'c'"),
        (column(said("synonyms", "{a: NA}")), "'NA' is a null marker\n  do: to make a text null"),
        (column(said("synonyms", "{na: b}")), "'na' is a null marker, which is looked up before"),
        (column(said("case", "lower"), said("synonyms", "{a: b, A: c}")), "'A' stands for 'b' and for 'c'"),
        (column(said("case", "upper"), more="  enum: [{value: jfk}]\n"),
         "the allowed value 'jfk' can never occur: it is brought to 'JFK'\n  do: write 'JFK' in enum"),
        (column(said("privacy", "{extract: '@.*'}")), "expected exactly one group, got 0\n  do: put round brackets"),
        (column(said("privacy", "{extract: '(a)(b)'}")), "expected exactly one group, got 2"),
        (column(said("privacy", "{extract: '(?=x)(y)'}")), r":12: column a: privacy: pattern '\(\?=x\)\(y\)' cannot"),
        (column(said("privacy", "{extract: '([[:alpha:]]+)'}")), "cannot be executed at the endpoint: Possible nested"),
        (column(said("privacy", "{extract: '(a'}")), "cannot be executed at the endpoint"),
        (column(said("privacy", "{extract: '(a)'}"), kind="integer"), "extract serves string, not integer"),
        (column(said("privacy", "{extract: '(a)'}"), more="  required: true\n"),
         "a required column needs a whole text to try the endpoint with\n  do: give one made up, under examples"),
    ],
)  # fmt: skip
def test_what_means_nothing_is_an_error_with_its_line(make_contract, text, message):
    with pytest.raises(ContractError, match=message):
        make_contract(text)
