from __future__ import annotations

import ipaddress
import uuid

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.formats import STRING_FORMATS, number_range


def matches(name: str, text: str) -> bool:
    return pc.match_substring_regex(pa.array([text]), STRING_FORMATS[name])[0].as_py()


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("email", ["a@b.org", "first.last+tag@sub.example.com"], ["a@b", "a b@c.org", "@b.org", "a@-b.org"]),
        ("uri", ["https://example.org/a?b#c", "urn:isbn:1", "mailto:a@b.org"], ["example.org", "http://a b", "1a:x"]),
        ("hostname", ["localhost", "a-1.example.org"], ["-a.org", "a..b", "a_b", "a" * 64]),
        ("date", ["2013-01-31"], ["2013-1-31", "2013-13-01", "2013-01-32", "2013-01-31T"]),
        ("time", ["10:00:00Z", "23:59:59.5+02:00"], ["10:00:00", "24:00:00Z"]),
        ("date-time", ["2013-01-31T10:00:00Z"], ["2013-01-31 10:00:00Z", "2013-01-31"]),
        ("byte", ["", "QQ==", "QUJD"], ["Q", "Q===", "QQ=a"]),
        ("ipv4", ["0.0.0.0", "255.255.255.255"], ["256.1.1.1", "1.1.1", "01.1.1.1"]),
        ("uuid", [str(uuid.uuid5(uuid.NAMESPACE_DNS, "a"))], ["12345678", "g" * 36]),
    ],
)
def test_string_formats(name, good, bad):
    assert [text for text in good if not matches(name, text)] == []
    assert [text for text in bad if matches(name, text)] == []


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.ip_addresses(v=6).map(str), st.from_regex(r"\A[0-9a-f:.]{2,24}\Z")))
def test_ipv6_agrees_with_python(text):
    try:
        ipaddress.IPv6Address(text)
        valid = True
    except ValueError:
        valid = False
    assert matches("ipv6", text) == valid


def test_number_ranges():
    assert number_range("i8") == (-128, 127)
    assert number_range("u16") == (0, 65_535)
    assert number_range("f32")[1] < number_range("f64")[1]
