"""The endpoint puts texts right as parsing does, bit for bit."""

from __future__ import annotations

import struct
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.contract import Column, Contract, Repair, RowRule
from data_contracts.parsing import parse_table
from serving.records.column import Column as ServedColumn
from serving.records.findings import Findings
from tasks.export.raw_columns import feed, input_spec

_WORDS = [
    "NA",
    "n/a",
    "-",
    "k.A.",
    "N.Y.",
    "ny",
    "New York",
    "é",
    "e\u0301",
    "ΐ",
    "ß",
    "\u017f",
    "İ",
    "ﬁ",
    "K",
    "O'Brien",
]
_SPACES = ["", " ", "\t", "\u00a0", "\u2003", "\u200b", "\x1f", "\n"]
_TEXTS = st.lists(st.sampled_from([*_WORDS, *_SPACES]) | st.text(max_size=4), max_size=4).map("".join)
_NUMBERS = st.from_regex(
    r"\A ?[+-]?[0-9]{0,4}([., ][0-9]{3}){0,3}[.,]?[0-9]{0,3}(e-?[0-9]{1,3})? ?\Z"
) | st.sampled_from(
    ["NA", "-", "1.234.567,5", "1,234.5", "12,34", "9.223.372.036.854.775.807", "9223372036854775808", "5,0", "1e999"]
)
_DATES = (
    st.datetimes().map(lambda t: t.strftime(f"%d.%m.{t.year:04d} %H:%M"))
    | st.datetimes().map(lambda t: t.isoformat())
    | st.from_regex(r"\A[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}\Z")
    | st.sampled_from(["31.03.2013 02:30", "27.10.2013 02:30", "00.00.0000 00:00", "2013-02-29", "0000-01-01"])
)
_REPAIRS = st.builds(
    Repair,
    unicode=st.sampled_from([None, "NFC", "NFD", "NFKC", "NFKD"]),
    trim=st.booleans(),
    case=st.sampled_from([None, "upper", "lower", "title"]),
    null_markers=st.sampled_from([None, ("-", "K.a.", "É"), ("unk",)]),
    synonyms=st.sampled_from([{}, {"N.Y.": "NY", "É": "EE"}]),
)


def both(kind: str, texts: list[str | None], **column: Any) -> tuple[list[Any], list[bool], list[Any]]:
    """Return what parsing makes of texts, as the graph's tensor, which it cannot read, and what the endpoint makes."""
    of_contract = Column(name="a", logical_type=kind, **column)
    contract = Contract(name="c", version="1", path="c", digest="", columns=(of_contract,))
    if of_contract.enum:
        rule = RowRule(id="a.enum", column="a", kind="enum", argument=of_contract.enum)
        contract = contract.model_copy(update={"row_rules": (rule,)})
    parsed = parse_table(pa.table({"a": pa.array(texts, pa.string())}), contract)
    spec = input_spec(contract, of_contract).model_copy(update={"rules": ()})
    bad = parsed.unreadable["a"].to_pylist() if "a" in parsed.unreadable else [False] * len(texts)
    served = []
    for text in texts:
        tensor = ServedColumn(spec).tensor([text], "BYTES", Findings())
        served.append(None if tensor is None else tensor.tolist()[0])
    return feed(parsed.table, [spec])["a"].tolist(), bad, served


def bits(value: Any) -> Any:
    return struct.pack("<d", value) if isinstance(value, float) else value


@settings(max_examples=120, deadline=None)
@given(st.lists(_TEXTS | st.none(), min_size=1, max_size=6), _REPAIRS)
def test_texts(texts: list[str | None], repair: Repair) -> None:
    parsed, _, served = both("string", texts, repair=repair)
    assert served == parsed


@settings(max_examples=60, deadline=None)
@given(st.lists(_TEXTS, min_size=1, max_size=4), _REPAIRS)
def test_what_was_put_right_stays_so(texts: list[str], repair: Repair) -> None:
    # Title case has no such promise: a capital that Unicode writes as letter and mark begins a new word.
    repair = repair.model_copy(update={"case": "upper" if repair.case == "title" else repair.case})
    once, _, _ = both("string", texts, repair=repair)
    assert both("string", once, repair=repair)[0] == once


@settings(max_examples=100, deadline=None)
@given(
    st.lists(_NUMBERS, min_size=1, max_size=6),
    st.sampled_from([(None, ","), (".", ","), (",", None), (" ", None), ("\u202f", ",")]),
    st.sampled_from(["number", "integer"]),
)
def test_numbers(texts: list[str], separators: tuple[str | None, str | None], kind: str) -> None:
    repair = Repair(thousands_separator=separators[0], decimal_separator=separators[1], null_markers=("-", "NA"))
    parsed, bad, served = both(kind, texts, repair=repair)
    for value, unreadable, answer in zip(parsed, bad, served, strict=True):
        assert bits(answer) == (None if unreadable else bits(value))


@settings(max_examples=100, deadline=None)
@given(
    st.lists(_DATES, min_size=1, max_size=4),
    st.sampled_from([(), ("dd.MM.yyyy HH:mm",), ("d/M/yyyy", "ISO 8601", "M/d/yyyy", "dd.MM.yyyy HH:mm")]),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York"]),
    st.sampled_from(["date", "timestamp"]),
)
def test_dates(texts: list[str], formats: tuple[str, ...], zone: str, kind: str) -> None:
    options = {"defaultTimezone": zone} if kind == "timestamp" else {}
    parsed, bad, served = both(kind, texts, repair=Repair(formats=formats), options=options)
    for text, value, unreadable, answer in zip(texts, parsed, bad, served, strict=True):
        # The wire's own form is always read; nothing else that parsing refuses is.
        assert answer == (None if unreadable else value) or (unreadable and text[4:5] == "-")


def test_booleans() -> None:
    repair = Repair(synonyms={"oui": "true", "non": "false"}, null_markers=("?",))
    parsed, bad, served = both("boolean", ["oui", " non ", "?", "Yes", "0", "NA"], repair=repair)
    assert parsed[:2] == served[:2] == [1.0, 0.0]
    assert str(served[2]) == "nan"
    assert served[3:] == [1.0, 0.0, None]
    assert bad == [False] * 5 + [True]


def test_a_marker_that_the_enum_names_is_a_value() -> None:
    column = Column(name="a", logical_type="string", enum=("NA", "EU"), repair=Repair(case="upper"))
    rule = RowRule(id="a.enum", column="a", kind="enum", argument=column.enum)
    contract = Contract(name="c", version="1", path="c", digest="", columns=(column,), row_rules=(rule,))
    served = ServedColumn(input_spec(contract, column))
    assert served.tensor(["na", " eu", "n/a"], "BYTES", Findings()).tolist() == ["NA", "EU", ""]
    assert parse_table(pa.table({"a": ["na", " eu", "n/a"]}), contract).table["a"].to_pylist() == ["NA", "EU", None]


def test_numbers_come_as_text_only_where_the_contract_repairs_texts() -> None:
    plain = Column(name="a", logical_type="number")
    contract = Contract(name="c", version="1", path="c", digest="", columns=(plain,))
    assert "BYTES" not in ServedColumn(input_spec(contract, plain)).datatypes
    commas = plain.model_copy(update={"repair": Repair(decimal_separator=",")})
    served = ServedColumn(input_spec(contract, commas))
    assert {"FP64", "BYTES"} < served.datatypes
    assert served.tensor([1.5, None], "FP64", Findings()).tolist()[0] == 1.5
    findings = Findings()
    assert served.tensor(["1,5", "1.5"], "BYTES", findings) is None
    assert [(each["rule"], each["row"], each["got"]) for each in findings.first] == [("a.type", 1, "1.5")]


@pytest.mark.parametrize("value", [5, True, [], {}])
def test_what_is_no_text_is_refused(value: Any) -> None:
    column = Column(name="a", logical_type="string", repair=Repair(trim=False, unicode="NFC", case="upper"))
    contract = Contract(name="c", version="1", path="c", digest="", columns=(column,))
    findings = Findings()
    assert ServedColumn(input_spec(contract, column)).tensor(["a", value], "BYTES", findings) is None
    assert findings.first[0]["row"] == 1


def test_only_what_the_group_finds_enters_the_graph() -> None:
    column = Column(
        name="a",
        logical_type="string",
        options={"pattern": "@"},
        privacy={"action": "extract", "pattern": r"@([a-z.]+)$"},
    )
    rule = RowRule(id="a.pattern", column="a", kind="pattern", argument="@")
    contract = Contract(name="c", version="1", path="c", digest="", columns=(column,), row_rules=(rule,))
    served = ServedColumn(input_spec(contract, column))
    assert served.tensor(["me@here.org ", "me@", None], "BYTES", Findings()).tolist() == ["here.org", "", ""]
    findings = Findings()
    assert served.tensor(["here.org"], "BYTES", findings) is None
    assert findings.first[0]["rule"] == "a.pattern"
