from __future__ import annotations

import pytest

from pipelines.artifacts.posting import between, bound, figure, key_of, markdown_table, plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("roc_auc", "roc_auc"),
        ("0 rows break it", "0 rows break it"),
        ("-0.25", "-0.25"),
        (">= 0.9", r"\>= 0.9"),
        ("^(a|b)*$", r"^(a\|b)\*\$"),
        ("- a list", r"\- a list"),
        ("_a_ <b>", r"\_a\_ \<b\>"),
        (12, "12"),
    ],
)
def test_a_cell_of_a_table_is_never_taken_for_markup(text: object, shown: str) -> None:
    assert plain(text) == shown


def test_a_markdown_table_keeps_its_columns_whatever_its_cells_hold() -> None:
    table = markdown_table([{"a": "x|y", "b": "two\nlines"}, {"a": 1, "b": ""}])
    assert table == "| a | b |\n| --- | --- |\n| x\\|y | two lines |\n| 1 |  |"


@pytest.mark.parametrize(("value", "shown"), [(0.123456, "0.1235"), (7, "7"), (None, "none"), (float("nan"), "none")])
def test_figures_have_four_digits(value: float | None, shown: str) -> None:
    assert figure(value) == shown


def test_words_for_intervals_and_bounds() -> None:
    assert between((0.1, 0.2)) == "0.1 to 0.2"
    assert between(None) == ""
    assert bound(">=", 0.7) == "at least 0.7"
    assert bound("<=", 1e-5) == "at most 1e-05"


def test_a_key_has_only_what_prefect_takes() -> None:
    assert key_of("summary", "My flights_2013") == "summary-my-flights-2013"
