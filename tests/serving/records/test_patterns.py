"""Patterns of contracts: RE2's words, and RE2's time."""

from __future__ import annotations

import time

import pytest

from serving.records.patterns import PatternError, finder, group_finder


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("b", "abc", True),
        ("^b", "abc", False),
        ("^a$", "a\n", False),
        (r"^\d$", "٣", False),
        ("^[[:alpha:]]+$", "ab", True),
        ("^.$", "é", True),
        ("^.$", "\0", True),
        ("(?i)UA", "ua", True),
        ("", "", True),
    ],
)
def test_a_pattern_is_found_as_where_the_data_is_checked(pattern: str, text: str, found: bool) -> None:
    assert bool(finder(pattern)(text)) is found


def test_no_text_keeps_a_pattern_busy() -> None:
    find, extract = finder("^(a+)+$"), group_finder("^((?:a+)+)$")
    began = time.process_time()
    assert not find("a" * 1_000_000 + "!")
    assert extract("a" * 1_000_000 + "!") == ""
    # A thousand times what it takes, and nothing beside what `re` would.
    assert time.process_time() - began < 10


def test_the_first_group_is_what_is_extracted() -> None:
    extract = group_finder("N([0-9]+)?|é(.)")
    assert [extract(text) for text in ("xN12y", "N", "é€", "")] == ["12", "", "", ""]


@pytest.mark.parametrize("pattern", ["(", "(?=a)", r"(a)\1", "a{1,100000}"])
def test_what_re2_does_not_know_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        finder(pattern)
    with pytest.raises(PatternError):
        group_finder(f"({pattern})")


def test_what_has_no_group_cannot_be_extracted() -> None:
    with pytest.raises(PatternError, match="no group"):
        group_finder("a")


def test_the_end_of_the_text_may_be_written_as_python_does() -> None:
    extract = group_finder(r"@([a-z]+)\Z")
    assert [extract(text) for text in ("a@b", "a@b\n")] == ["b", ""]
    assert group_finder(r"(\\Z)")(r"a\Z") == r"\Z"
