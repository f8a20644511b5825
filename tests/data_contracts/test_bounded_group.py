from __future__ import annotations

import re

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.bounded_group import after_sign, bounded_group
from data_contracts.privacy import extracted, python_pattern

MAIL = r"^[a-z0-9._]+@([a-z0-9.]+\.[a-z]{2,})$"


@pytest.mark.parametrize(
    "pattern",
    [
        "@([a-z]+)$",
        "^[a-z]+@([a-z]+)",
        "^[^b]+@([a-z]+)$",
        "^[a-z@]+@([a-z]+)$",
        "^[!-z]+@([a-z]+)$",
        "^[a-z]+@([a-z@]+)$",
        "^[a-z]+@(.+)$",
        r"^[a-z]+@(\W+)$",
        "^[a-z]+@([^b]+)$",
        "^[a-z]+@(a|b)$",
        "^[a-zé]+@([a-z]+)$",
        "^[a-z]*@([a-z]+)$",
    ],
)
def test_a_pattern_in_which_the_sign_can_stand_elsewhere_has_not_the_form(pattern):
    assert bounded_group(pattern) is None


@settings(max_examples=200, deadline=None)
@given(
    texts=st.lists(st.none() | st.text(alphabet="ab9.@$é", max_size=9) | st.from_regex(MAIL), max_size=8),
    start=st.integers(0, 3),
)
def test_cutting_finds_what_capturing_finds(texts, start):
    texts = [None if text is None else text.removesuffix("\n") for text in texts]
    array = pa.array(texts, pa.string()).slice(start)
    for pattern in (MAIL, r"^[a-z.]+@([a-z9]*)$", "^[ab]+@([a-b]{1,2}b*)$"):
        form = bounded_group(pattern)
        assert form is not None
        found = after_sign(array, form).to_pylist()
        assert found == extracted(array, pattern).to_pylist()
        plain = [None if text is None else re.search(python_pattern(pattern), text, re.ASCII) for text in texts[start:]]
        assert found == [None if each is None else each.group(1) or None for each in plain]
