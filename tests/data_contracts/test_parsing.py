from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.contract import Column, Contract
from data_contracts.errors import SchemaMismatchError
from data_contracts.generate import generate_records
from data_contracts.parsing import ARROW_TYPES, parse_table

UTC = dt.UTC


def parse(kind: str, values: pa.Array | list, **column: object):
    contract = Contract(
        name="c", version="1", path="c", digest="", columns=(Column(name="a", logical_type=kind, **column),)
    )
    parsed = parse_table(pa.table({"a": values}), contract)
    bad = parsed.unreadable.get("a")
    assert parsed.table.schema.field("a").type == ARROW_TYPES[kind]
    return parsed.table.column("a").to_pylist(), [] if bad is None else [i for i, b in enumerate(bad.to_pylist()) if b]


@pytest.mark.parametrize(
    ("kind", "texts", "values", "unreadable"),
    [
        ("string", [" a ", "", "NA", "n/a", "Null", "NONE", "nan", None], ["a"] + [None] * 7, []),
        ("integer", ["1", "+2", " -3 ", "4.0", "5."], [1, 2, -3, 4, 5], []),
        ("integer", ["9223372036854775807", "9223372036854775808", "-9223372036854775808"],
         [2**63 - 1, None, -(2**63)], [1]),
        ("integer", ["0x1f", "1e3", "1.5", "one", "00000000000000000000007"], [None] * 4 + [7], [0, 1, 2, 3]),
        ("number", ["1", ".5", "5.", "-1e-3", "+2E2", "NaN"], [1.0, 0.5, 5.0, -0.001, 200.0, None], []),
        ("number", ["inf", "-Infinity", "1e999", "1,5", "1 2"], [None] * 5, [0, 1, 2, 3, 4]),
        ("boolean", ["true", "FALSE", "1", "0", "Yes", "n", "1.0", "maybe"],
         [True, False, True, False, True, False, True, None], [7]),
        ("date", ["2012-02-29", "2013-02-29", "2013-13-01", "2013-01-01T00:00:00", "2013-01-01 10:00", "01/02/2013"],
         [dt.date(2012, 2, 29), None, None, dt.date(2013, 1, 1), None, None], [1, 2, 4, 5]),
    ],
)  # fmt: skip
def test_texts(kind, texts, values, unreadable):
    assert parse(kind, texts) == (values, unreadable)


def test_timestamps_as_text():
    texts = ["2013-01-01", "2013-01-01T12:00:00Z", "2013-01-01 12:00:00.25+02:00", "2013-01-01 24:00", "x"]
    values, unreadable = parse("timestamp", texts)
    assert values[:3] == [
        dt.datetime(2013, 1, 1, tzinfo=UTC),
        dt.datetime(2013, 1, 1, 12, tzinfo=UTC),
        dt.datetime(2013, 1, 1, 10, 0, 0, 250_000, tzinfo=UTC),
    ]
    assert unreadable == [3, 4]


def test_a_format_and_a_zone():
    options = {"format": "dd.MM.yyyy HH:mm", "defaultTimezone": "Europe/Berlin"}
    values, unreadable = parse("timestamp", ["01.07.2013 12:00", "2013-07-01"], options=options)
    assert values == [dt.datetime(2013, 7, 1, 10, tzinfo=UTC), None]
    assert unreadable == [1]
    local = pa.array([dt.datetime(2013, 7, 1, 12)], pa.timestamp("s"))  # noqa: DTZ001
    assert parse("timestamp", local, options=options)[0] == [dt.datetime(2013, 7, 1, 10, tzinfo=UTC)]


def test_a_marker_that_the_enum_names_is_a_value():
    assert parse("string", ["NA", "na", "N/A"], enum=("NA", "EU"))[0] == ["NA", None, None]


@pytest.mark.parametrize(
    ("kind", "source", "values", "unreadable"),
    [
        ("integer", pa.array([1, 2], pa.int8()), [1, 2], []),
        ("integer", pa.array([2**64 - 1, 5, None], pa.uint64()), [None, 5, None], [0]),
        ("integer", pa.array([1.0, 2.5, float("nan"), 2.0**63, None]), [1, None, None, None, None], [1, 3]),
        ("integer", pa.array([True, None]), [1, None], []),
        ("number", pa.array([1, 2**60]), [1.0, 2.0**60], []),
        ("number", pa.array([1.5, float("nan"), float("inf")], pa.float32()), [1.5, None, None], [2]),
        ("number", pa.array(["1.5", "x"]).dictionary_encode(), [1.5, None], [1]),
        ("boolean", pa.array([0, 1, 2, None]), [False, True, None, None], [2]),
        ("string", pa.array([7, None]), ["7", None], []),
        ("string", pa.array(["a", "b"], pa.large_string()), ["a", "b"], []),
        ("date", pa.array([0, 1], pa.timestamp("s")), [dt.date(1970, 1, 1), None], [1]),
        ("timestamp", pa.array([1], pa.date32()), [dt.datetime(1970, 1, 2, tzinfo=UTC)], []),
        ("timestamp", pa.array([1_500], pa.timestamp("ns", "America/New_York")),
         [dt.datetime(1970, 1, 1, 0, 0, 0, 1, tzinfo=UTC)], []),
        ("number", pa.nulls(2), [None, None], []),
        ("string", pa.array([], pa.string()), [], []),
    ],
)  # fmt: skip
def test_other_arrow_types(kind, source, values, unreadable):
    assert parse(kind, source) == (values, unreadable)


def test_decimals_keep_their_digits():
    source = pa.array(["9007199254740993", "2"], pa.string()).cast(pa.decimal128(20, 0))
    assert parse("integer", source) == ([9_007_199_254_740_993, 2], [])


@pytest.mark.parametrize(
    ("kind", "source"),
    [("timestamp", pa.array([1])), ("integer", pa.array([1], pa.timestamp("us"))), ("string", pa.array([[1]]))],
)
def test_a_column_of_a_senseless_type_is_an_error(kind, source):
    with pytest.raises(SchemaMismatchError, match="column a: the data has Arrow type"):
        parse(kind, source)


def test_a_missing_column_is_an_error_and_a_further_one_is_left_out(orders):
    whole = generate_records(orders, [column.name for column in orders.columns], 3, seed=1)
    with pytest.raises(SchemaMismatchError, match="lacks the columns shop, grade"):
        parse_table(whole.drop_columns(["shop", "grade"]), orders)
    parsed = parse_table(whole.append_column("further", pa.nulls(3)), orders)
    assert parsed.table.column_names == [column.name for column in orders.columns]
    assert parse_table(whole, orders, columns=["size", "shop"]).table.column_names == ["shop", "size"]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(max_size=8), st.from_regex(r"\A[+-]?[0-9.eE]{1,6}\Z")), max_size=12))
def test_reading_a_value_does_not_depend_on_its_neighbours(texts):
    for kind in ARROW_TYPES:
        together = parse(kind, pa.array(texts, pa.string()))[0]
        assert together == [parse(kind, pa.array([text], pa.string()))[0][0] for text in texts]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(-(2**63), 2**63 - 1)), st.lists(st.floats(allow_nan=False, allow_infinity=False)))
def test_numbers_survive_being_written_as_text(integers, floats):
    assert parse("integer", pa.array([str(value) for value in integers], pa.string()))[0] == integers
    assert parse("number", pa.array([repr(value) for value in floats], pa.string()))[0] == floats


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.sampled_from([" a", "a", "NA", "b ", "1", " 1.0", "x", "", "2013-01-01T00:00:00Z", None]), max_size=20),
    st.integers(0, 3),
)
def test_dictionaries_are_read_as_plain_texts_are(texts, start):
    plain = pa.array(texts, pa.string()).slice(start)
    for kind in ARROW_TYPES:
        contract = Contract(name="c", version="1", path="c", digest="", columns=(Column(name="a", logical_type=kind),))
        expected = parse_table(pa.table({"a": plain}), contract)
        found = parse_table(pa.table({"a": plain.dictionary_encode()}), contract, dictionaries=True)
        if kind == "string" and len(plain):
            words = found.table["a"].chunk(0).dictionary
            assert words.null_count == 0
            assert len(words.unique()) == len(words)
        assert found.decoded().table.equals(expected.table)
        assert {name: bad.to_pylist() for name, bad in found.unreadable.items()} == {
            name: bad.to_pylist() for name, bad in expected.unreadable.items()
        }
        assert found.unreadable_texts == expected.unreadable_texts


@pytest.mark.parametrize(
    ("kind", "values"),
    [("integer", [1, None, 2]), ("number", [1.0, None, 2.0]), ("string", ["1", None, "2"]), ("date", [None] * 3)],
)
def test_views_of_texts_are_read_as_texts_are(kind, values):
    texts = pa.array(["1", None, "2"])
    read = parse(kind, texts.cast(pa.string_view()))
    assert read == parse(kind, texts)
    assert read[0] == values


@pytest.mark.parametrize(
    "source", [pa.date32(), pa.date64(), pa.timestamp("ms"), pa.timestamp("s", "UTC"), pa.timestamp("ms", "UTC")]
)
def test_an_instant_beyond_int64_microseconds_does_not_begin_anew(source):
    whole = pa.int32() if source == pa.date32() else pa.int64()
    most = 2**31 - 1 if source == pa.date32() else 2**63 // 86_400_000 * 86_400_000
    array = pa.array([0, most, None, -most], whole).view(source)
    epoch = dt.datetime(1970, 1, 1, tzinfo=UTC)
    assert parse("timestamp", array) == ([epoch, None, None, None], [1, 3])
    assert parse("date", array) == ([epoch.date(), None, None, None], [1, 3])
