"""What is taken to be true of a column, from a CSV file to its type, spelling and rules."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.repair import repaired
from tasks.engine import DaskConfig
from tasks.errors import DataError
from tasks.profiling.facts import ColumnFacts, facts_of
from tasks.profiling.personal import personal_kind
from tasks.profiling.profile import run_profile
from tasks.profiling.readings import Habits, possible_readings, read_texts
from tasks.profiling.rules import code_pattern, rules_of
from tasks.profiling.sniff import sniff

Describe = Callable[..., ColumnFacts]


@pytest.fixture
def described(tmp_path: Path) -> Describe:
    def describe(values: Sequence[str], name: str = "x", delimiter: str = ",") -> ColumnFacts:
        path = tmp_path / "a.csv"
        rows = [f'"{value}"{delimiter}{place}' for place, value in enumerate(values)]
        path.write_text("\n".join([f"{name}{delimiter}place", *rows]) + "\n")
        profiled = run_profile(sniff(path).source, tmp_path / "home", DaskConfig(threads=1))
        return facts_of(name, profiled.columns[name])

    return describe


@pytest.mark.parametrize(
    ("values", "delimiter", "kind", "repair"),
    [
        (["1", "2", "", "NA"], ",", "integer", {}),
        (["1.5", "2", "n/a"], ",", "number", {}),
        (["1,5", "2,25"], ";", "number", {"decimal_separator": ","}),
        (["1.234,5", "2,25"], ";", "number", {"thousands_separator": ".", "decimal_separator": ","}),
        (["1,234", "22,345", "12"], ",", "integer", {"thousands_separator": ","}),
        (["1 234", "22 345"], ",", "integer", {"thousands_separator": " "}),
        (["yes", "no", "yes"], ",", "boolean", {}),
        (["2024-01-31", "2024-02-01"], ",", "date", {}),
        (["2024-01-31 10:00", "2024-02-01 11:30"], ",", "timestamp", {}),
        (["31.01.2024", "1.2.2024"], ",", "date", {"formats": ("d.M.yyyy",)}),
        (["31/01/2024", "01/02/2024"], ",", "date", {"formats": ("d/M/yyyy",)}),
        (["01/31/2024", "02/01/2024"], ",", "date", {"formats": ("M/d/yyyy",)}),
        (["01/02/2024"], ";", "date", {"formats": ("d/M/yyyy",)}),
        (["007", "012", "100"], ",", "string", {}),
        (["12345678901234567890123", "1"], ",", "string", {}),
        (["red", "green"], ",", "string", {}),
    ],
)
def test_a_type_and_its_spelling_are_found(
    values: list[str], delimiter: str, kind: str, repair: dict[str, object], described: Describe
) -> None:
    facts = described(values, delimiter=delimiter)
    assert facts.kind == kind
    assert facts.column.repair.model_dump(exclude_defaults=True) == repair
    assert bool(facts.assumed) == bool(repair)


def test_several_date_formats_are_read_together(described: Describe) -> None:
    facts = described(["2024-01-31", "31.01.2024"] * 5)
    assert facts.kind in {"date", "timestamp"}
    assert len(facts.column.repair.formats) == 2


def test_spellings_of_no_value_are_found(described: Describe) -> None:
    facts = described(["1", "?", "3", "-", "4", "?"])
    assert (facts.kind, facts.nulls) == ("integer", 3)
    assert {"?", "-", "na"} <= set(facts.column.repair.null_markers or ())
    assert "read as null (3 rows)" in facts.assumed[0]
    text = described(["red", "?", "blue", "red"])
    assert (text.kind, text.nulls, set(text.values)) == ("string", 1, {"red", "blue"})


def test_a_column_of_mixed_types_is_text_with_a_doubt(described: Describe) -> None:
    facts = described([*map(str, range(90)), *(f"item {place}" for place in range(10))])
    assert facts.kind == "string"
    assert "10 of 100 values are no number" in facts.doubts[0]
    stray = described([*map(str, range(300)), "twelve"])
    assert (stray.kind, stray.nulls) == ("integer", 1)
    assert "'twelve'" in stray.doubts[0]


def test_ranges_have_room_and_sets_are_small(described: Describe) -> None:
    ages = rules_of(described([str(20 + place % 50) for place in range(200)], "age"))
    assert ages.options == {"minimum": 0, "maximum": 100}
    assert ages.required
    plans = rules_of(described(["basic", "gold", "plus", ""] * 20, "plan"))
    assert plans.enum == ("basic", "gold", "plus")
    assert (plans.required, plans.most_nulls) == (False, 30)
    mails = rules_of(described([f"a{place}@example.com" for place in range(30)], "contact"))
    assert mails.options == {"format": "email"}
    assert rules_of(described(["2024-01-31", "2025-02-01"], "day")).options == {"minimum": "2023-01-01"}


@pytest.mark.parametrize(
    ("name", "values", "enum"),
    [
        ("plan", ["basic", "gold", "plus"] * 20, ("basic", "gold", "plus")),
        ("plan", ["basic", "gold"] * 30 + ["trial"], ()),
        ("plan", [f"tariff {place % 7}" for place in range(140)], ()),
        ("country", ["DE", "FR", "IT", "NL", "PL", "US"] * 20, ()),
        ("Ort", ["Berlin", "Bonn", "Kiel"] * 20, ()),
        ("weekday", ["mo", "tu", "we", "th", "fr", "sa", "su"] * 20, ("fr", "mo", "sa", "su", "th", "tu", "we")),
        ("holiday", ["0", "1"] * 20, (0, 1)),
        ("rooms", ["1", "2", "3", "4"] * 20, ()),
    ],
)
def test_only_closed_sets_are_listed(
    name: str, values: list[str], enum: tuple[object, ...], described: Describe
) -> None:
    assert rules_of(described(values, name)).enum == enum


def test_the_classes_that_are_predicted_are_a_closed_set(described: Describe) -> None:
    facts = described(["DE", "FR", "IT"] * 20, "country")
    assert rules_of(facts, predicted=True).enum == ("DE", "FR", "IT")
    assert rules_of(described(["1", "2", "3"] * 20, "grade"), predicted=True).enum == (1, 2, 3)


def test_a_long_tail_has_room_and_the_earth_has_its_bounds(described: Describe) -> None:
    claims = rules_of(described([*(str(10 + place % 20) for place in range(300)), "900"], "claim"))
    assert claims.options == {"minimum": 0, "maximum": 9000}
    places = rules_of(described([f"{place / 10}" for place in range(200)], "latitude"))
    assert places.options == {"minimum": -90, "maximum": 90}


@pytest.mark.parametrize(
    ("texts", "pattern"),
    [
        (["AB-1234", "CD-9999", "EF-0000", "GH-1111", "IJ-1212"], r"^[A-Z]{2}\-[0-9]{4}$"),
        (["A1", "B22", "C333", "D4", "E5"], "^[A-Z][0-9]{1,6}$"),
        (["JFK", "LGA", "EWR", "IAH", "BOS"], "^[A-Z]{3}$"),
        (["one", "two", "three", "four", "five"], None),
        (["a b 1", "c d 2", "e f 3", "g h 4", "i j 5"], None),
        (["A1", "B2"], None),
    ],
)
def test_codes_of_one_form_have_a_pattern(texts: list[str], pattern: str | None) -> None:
    assert code_pattern(texts) == pattern


@given(st.lists(st.from_regex(r"\A[A-Z]{1,3}-[0-9]{1,4}\Z"), min_size=5, max_size=20))
@settings(max_examples=25)
def test_a_pattern_matches_what_it_was_made_of(texts: list[str]) -> None:
    pattern = code_pattern(texts)
    assert pattern is not None
    assert all(re.match(pattern, text) for text in texts)


@given(st.lists(st.integers(-(10**9), 10**9).map(str) | st.floats(-1e6, 1e6).map(repr), min_size=1, max_size=20))
@settings(max_examples=25)
def test_the_first_reading_of_numbers_reads_most_of_them(texts: list[str]) -> None:
    column = possible_readings("x", texts, Habits())[0]
    values = read_texts(column, repaired(pa.array(texts, pa.string()), column))
    assert values.null_count <= len(texts) / 2


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("contact", [f"a{place}@example.com" for place in range(9)], "e-mail addresses"),
        ("phone", ["030 1234567", "+49 30 123456"] * 3, "telephone numbers"),
        ("Last Name", ["Meier", "Schmidt"], "names of people"),
        ("customer", ["Anna Meier", "Bo Li", "Cy Doe"], None),
        ("customer_name", ["Anna Meier", "Bo Li", "Cy Doe"], "names of people"),
        ("date_of_birth", ["1970-01-31", "1980-01-31"], "dates of birth"),
        ("account", ["DE89370400440532013000", "GB29NWBK60161331926819"], "IBANs"),
        ("client", ["10.0.0.1", "192.168.1.7"], "IP addresses"),
        ("street", ["High Street 1", "Main Road 2"], "addresses"),
        ("car_name", ["ford torino", "amc rebel sst"], None),
        ("age", ["31", "42"], None),
    ],
)
def test_likely_personal_data_is_told(name: str, values: list[str], kind: str | None, described: Describe) -> None:
    assert personal_kind(described(values, name)) == kind


def test_typed_columns_keep_their_types_and_foreign_ones_are_left_out(tmp_path: Path) -> None:
    table = pa.table(
        {
            "whole": pa.array([1.0, None, 3.0]),
            "far": pa.array([1.5, float("inf"), 2.5]),
            "huge": pa.array([2**64 - 1, 1, 2], pa.uint64()),
            "many": pa.array([[1], [2], None]),
            "nothing": pa.nulls(3),
            "flag": pa.array([True, False, None]),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    profiled = run_profile(sniff(tmp_path / "a.parquet").source, tmp_path / "home", DaskConfig(threads=1))
    facts = {name: facts_of(name, profile) for name, profile in profiled.columns.items()}
    kinds = {name: each.kind for name, each in facts.items()}
    assert kinds == {"whole": "integer", "far": "number", "huge": "string", "nothing": "string", "flag": "boolean"}
    assert "many" in profiled.left_out
    assert (facts["far"].unreadable, facts["nothing"].told) == (1, 0)


def test_a_file_with_a_header_alone_has_no_row(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n")
    with pytest.raises(DataError, match="no row"):
        run_profile(sniff(tmp_path / "a.csv").source, tmp_path / "home", DaskConfig(threads=1))
