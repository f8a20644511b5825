from __future__ import annotations

import re

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.contract import Column, Contract, Privacy
from data_contracts.errors import ContractError
from data_contracts.privacy import apply_privacy, extracted, hidden_columns, python_pattern, visible_columns

_COLUMNS = (
    Column(name="id", logical_type="integer", required=True),
    Column(name="who", logical_type="string", privacy=Privacy(action="drop")),
    Column(
        name="email",
        logical_type="string",
        required=True,
        options={"format": "email"},
        privacy=Privacy(action="extract", pattern="@([a-z.]+)$"),
    ),
)
CONTRACT = Contract(name="c", version="1", path="c", digest="", columns=_COLUMNS)
EMAILS = ["a@x.org", "b@x.org", None, "none", "c@y.org", "a@x.org"]


@pytest.mark.parametrize("dictionaries", [False, True])
def test_a_column_leaves_and_of_another_a_part_stays(dictionaries):
    emails = pa.array(EMAILS)
    table = pa.table(
        {"id": range(6), "who": list("abcdef"), "email": emails.dictionary_encode() if dictionaries else emails}
    )
    left = apply_privacy(table, CONTRACT)
    assert left.column_names == ["id", "email"]
    assert left.schema.field("email").type == pa.dictionary(pa.int8(), pa.string())
    assert left["email"].to_pylist() == ["x.org", "x.org", None, None, "y.org", "x.org"]
    assert left["email"].chunk(0).dictionary.to_pylist() == ["x.org", "y.org"]


def test_any_columns_in_any_chunks():
    table = pa.table({"email": pa.chunked_array([EMAILS[:2], [], EMAILS[2:]], pa.string())})
    assert apply_privacy(table, CONTRACT)["email"].to_pylist() == ["x.org", "x.org", None, None, "y.org", "x.org"]
    assert apply_privacy(table.slice(0, 0), CONTRACT).num_rows == 0


def test_what_is_left_of_the_contract():
    assert hidden_columns(CONTRACT) == {"who"}
    number, email = visible_columns(CONTRACT)
    assert number == _COLUMNS[0]
    assert (email.name, email.required, email.options) == ("email", False, {})


@pytest.mark.parametrize(
    ("pattern", "text", "part"),
    [
        (r"(?:a|b)([(]+\()x", "b((x", "(("),
        (r"[](](?P<part>c)", "(c", "c"),
        (r"\$([$]+)$", "$$$", "$$"),
        ("a(b*)", "a", None),
        (r"^(\w+) ", "one two", "one"),
        (r"([\]:x]+)", "]:", "]:"),
    ],
)
def test_the_group_is_found_whatever_stands_around_it(pattern, text, part):
    assert extracted(pa.array([text]), pattern).to_pylist() == [part]
    found = re.search(python_pattern(pattern), text, re.ASCII)
    assert (found.group(1) or None) == part


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(alphabet="ab@.\n$é", max_size=8), max_size=6))
def test_the_endpoints_expression_finds_the_same(texts):
    for pattern in ("@([ab.]+)$", "(a.b|é+)", "^[^@]*(@?)", r"(\.[ab]+)(?:$|@)"):
        found = [re.search(python_pattern(pattern), text, re.ASCII) for text in texts]
        expected = [None if each is None else each.group(1) or None for each in found]
        assert extracted(pa.array(texts, pa.string()), pattern).to_pylist() == expected


def test_two_groups_are_refused():
    with pytest.raises(ContractError, match="expected exactly one group, got 2"):
        extracted(pa.array(["a"]), "(a)(b)")
