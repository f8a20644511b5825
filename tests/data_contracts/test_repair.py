from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest

from data_contracts.contract import Column, Contract, Repair
from data_contracts.parsing import parse_table
from data_contracts.scalars import arrow_values


def parse(kind: str, values: pa.Array | list, *, enum: tuple[str, ...] | None = None, **repair: object):
    column = Column(name="a", logical_type=kind, enum=enum, repair=Repair(**repair))
    contract = Contract(name="c", version="1", path="c", digest="", columns=(column,))
    parsed = parse_table(pa.table({"a": values}), contract)
    bad = parsed.unreadable["a"].to_pylist() if "a" in parsed.unreadable else [False] * len(values)
    return parsed.table.column("a").to_pylist(), [position for position, each in enumerate(bad) if each]


@pytest.mark.parametrize(
    ("repair", "texts", "values"),
    [
        ({"case": "upper"}, [" jfk", "straße", "na"], ["JFK", "STRASSE", None]),
        ({"case": "title"}, ["o'brien jr", "ÉLAN VITAL"], ["O'Brien Jr", "Élan Vital"]),
        ({"unicode": "NFC"}, ["e\u0301", "\ufb01"], ["é", "\ufb01"]),
        ({"unicode": "NFKC"}, ["\ufb01\u00a0", "\u2460"], ["fi", "1"]),
        ({"trim": False}, [" a ", "NA ", "NA", ""], [" a ", "NA ", None, None]),
        ({"null_markers": ("-", "K.A.")}, ["-", "k.a.", "NA", " ", "--"], [None, None, "NA", None, "--"]),
        ({"case": "upper", "synonyms": {"N.Y.": "NY"}}, ["n.y. ", "ny", None], ["NY", "NY", None]),
    ],
)
def test_texts(repair, texts, values):
    assert parse("string", texts, **repair) == (values, [])
    assert parse("string", pa.array(texts, pa.string()).dictionary_encode(), **repair) == (values, [])


@pytest.mark.parametrize("blank", [chr(code) for code in range(1, 33)] + ["\u0085", "\u00a0", "\u3000"])
@pytest.mark.parametrize("beside", ["b", "é"])
def test_what_is_trimmed_does_not_depend_on_the_texts_beside_it(blank, beside):
    text = f"{blank}a{blank}"
    assert parse("string", [text, beside])[0] == [text.strip(), beside]


def test_a_marker_that_is_written_as_an_instant_is_none():
    texts = ["2013-01-01T00:00:00Z", "1900-01-01T00:00:00Z", None]
    moment = dt.datetime(2013, 1, 1, tzinfo=dt.UTC)
    for given in (texts, pa.array(texts).slice(0), pa.array(["x", *texts]).slice(1)):
        assert parse("timestamp", given, null_markers=("1900-01-01T00:00:00Z",)) == ([moment, None, None], [])


def test_a_marker_that_the_enum_names_in_its_own_form_is_a_value():
    assert parse("string", ["na", "n/a"], enum=("NA",), case="upper")[0] == ["NA", None]


@pytest.mark.parametrize(
    ("kind", "separators", "texts", "values", "unreadable"),
    [
        ("number", (",", None), ["1,234.5", "-1,234,567", "1234.5", "1,23", "12,345,67", "1e3"],
         [1234.5, -1234567.0, 1234.5, None, None, 1000.0], [3, 4]),
        ("number", (".", ","), ["1.234,5", ",5", "1.5", "NA"], [1234.5, 0.5, None, None], [2]),
        ("number", (None, ","), ["1,5", "1.5"], [1.5, None], [1]),
        ("integer", ("\u202f", None), ["1\u202f234", "1 234", "7.0"], [1234, None, 7], [1]),
        ("integer", (",", None), ["9,223,372,036,854,775,807", "9,223,372,036,854,775,808", "1.5"],
         [2**63 - 1, None, None], [1, 2]),
    ],
)  # fmt: skip
def test_numbers_as_text(kind, separators, texts, values, unreadable):
    assert parse(kind, texts, thousands_separator=separators[0], decimal_separator=separators[1]) == (
        values,
        unreadable,
    )


def test_numbers_that_are_no_text_have_no_separators():
    repair = {"thousands_separator": ".", "decimal_separator": ","}
    assert parse("number", [1.5, None], **repair) == ([1.5, None], [])
    decimals = pa.array(["1.500"], pa.string()).cast(pa.decimal128(8, 3))
    assert parse("number", decimals, **repair) == ([1.5], [])


def test_the_first_format_that_reads_wins():
    texts = ["03/04/2013", "13/04/2013", "04/13/2013", "2013-04-05", "30/02/2013"]
    days, unreadable = parse("date", texts, formats=("dd/MM/yyyy", "MM/dd/yyyy", "ISO 8601"))
    assert days == [dt.date(2013, 4, 3), dt.date(2013, 4, 13), dt.date(2013, 4, 13), dt.date(2013, 4, 5), None]
    assert unreadable == [4]
    assert parse("date", ["2013-04-05"], formats=("dd/MM/yyyy",)) == ([None], [0])


def test_a_value_of_the_contract_may_be_written_as_the_data_is():
    column = Column(name="a", logical_type="date", repair=Repair(formats=("d.M.yyyy",)))
    assert arrow_values(["2013-04-05", "6.4.2013"], column).to_pylist() == [dt.date(2013, 4, 5), dt.date(2013, 4, 6)]
